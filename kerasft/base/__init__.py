"""The cellar: what every room may stand on. Imports nothing of the project and nothing heavy."""

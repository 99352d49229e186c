"""Word vectors: learned from unlabelled text, read, written, measured."""

"""One readable script per task: `python -m apps.<task>`."""

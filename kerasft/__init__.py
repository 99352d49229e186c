"""kerasft: from raw rows to a served answer, with nothing between training and serving that can drift."""

__version__ = "0.1.0"

"""Rows: columns of raw values from any source, split, checked and memory-mapped."""

from kerasft.data.columns import Column
from kerasft.data.load import load
from kerasft.data.rows import Rows, Split

__all__ = ["Column", "Rows", "Split", "load"]

"""Rows: columns of raw values from any source, split, checked and memory-mapped."""

from kerasft.data.columns import Column
from kerasft.data.digits import spoken_digits
from kerasft.data.load import load
from kerasft.data.media import MediaColumn
from kerasft.data.rows import Rows, Split
from kerasft.data.tabular import TabularColumn

__all__ = ["Column", "MediaColumn", "Rows", "Split", "TabularColumn", "load", "spoken_digits"]

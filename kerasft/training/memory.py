"""Keeping the memory of a step for the next one."""

import ctypes
import logging
import sys
from functools import cache

logger = logging.getLogger(__name__)

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGEST = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Asks the C library to keep freed memory for the next step rather than give it back at once.

    Every step frees arrays of tens of megabytes and asks for as many again. By default glibc hands such arrays to the
    system and gets them back page by page, each zeroed: a third of the processor time of a small model was spent
    there. The process keeps its peak for as long as it lives.

    Returns:
        Whether the library took it; elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    taken = mallopt is not None and mallopt(_MMAP_THRESHOLD, _LARGEST) == 1 and mallopt(_TRIM_THRESHOLD, _LARGEST) == 1
    logger.debug("freed memory is kept: %s", taken)
    return taken

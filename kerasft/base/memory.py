"""Telling memory that ran out from other faults, whichever library says it."""

_NAMES = ("ResourceExhaustedError", "OutOfMemoryError")  # TensorFlow's and torch's; JAX says it in the message


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of numpy, of any backend or of ONNX Runtime says that memory ran out.

    Example:
        >>> is_out_of_memory(MemoryError())
        True
    """
    if isinstance(error, MemoryError) or type(error).__name__ in _NAMES:
        return True
    return any(words in str(error) for words in ("RESOURCE_EXHAUSTED", "Failed to allocate memory"))

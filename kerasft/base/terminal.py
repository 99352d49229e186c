"""The terminal that commands write to."""

from rich.console import Console


def terminal(stderr: bool = False) -> Console:
    """A console that shows texts as they are: a label or a path may hold brackets, which are no markup.

    Args:
        stderr: standard error in place of standard output.

    Example:
        >>> terminal().print("label [/b]")
        label [/b]
    """
    return Console(stderr=stderr, highlight=False, markup=False)

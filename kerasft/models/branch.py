"""What a branch makes of its input, whichever kind of input it is."""

from dataclasses import dataclass
from typing import Any, Protocol

from keras import ops


@dataclass(frozen=True)
class Encoded:
    """One input inside a model, read by its branch.

    Args:
        input: the model's input tensor, [batch, ...].
        sequence: float [batch, time, features]: a vector for each token, patch or frame.
        mask: bool [batch, time], True where there is one.
        vector: float [batch, features]: all of it in one.
        present: bool [batch], False where the value is missing; None in a model of this input alone.
    """

    input: Any
    sequence: Any
    mask: Any
    vector: Any
    present: Any = None


class Branch(Protocol):
    """The options of one input's part of a model."""

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the input's layers.

        Args:
            name: the input's name; the layers' names begin with it.
            present: bool [batch], False where the value is missing; None where it never is.
        """
        ...


def where_present(present: Any, x: Any, other: Any = 0) -> Any:
    """`x` in the rows that are present and `other` in the rest; `x` itself where `present` is None.

    A choice and not a product: so not even a NaN of a missing value comes through, forwards or backwards.

    Args:
        present: bool [batch], or None.
        x: [batch, ...].
        other: a number, or a tensor of x's shape.
    """
    if present is None:
        return x
    rows = ops.reshape(present, (-1, *[1] * (len(x.shape) - 1)))  # [batch, 1, ...]
    return ops.where(rows, x, other)

"""Columns inside a model: standardised numbers and category ids to a vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.models.branch import Encoded, where_present
from kerasft.models.checks import check_least, check_share


@dataclass(frozen=True)
class TabularBranch:
    """Rows as the tabular input lays them out, float32 [batch, 2 x numbers + categories].

    First the numbers, standardised and 0 where missing; then for each a flag that says so; then the ids of the
    categories. Each category has a vector (Guo & Berkhahn 2016, equation 4); all together pass through one ReLU layer.

    Args:
        numbers: how many columns of numbers there are.
        categories: for each column of categories, how many ids it has.
        width: units of the layer. Default 32.
        embedding: the most features of a category's vector; half as many as there are ids where that is less.
            Default 16.
        dropout: share of features dropped after the layer. Default 0.2.

    Raises:
        InputError: if there is no column, or an option is out of bounds.

    Example:
        >>> encoded = TabularBranch(numbers=2, categories=[4, 7], width=8).encode("tabular")
        >>> encoded.input.shape, encoded.vector.shape
        ((None, 6), (None, 8))
    """

    numbers: int
    categories: Sequence[int] = ()
    width: int = 32
    embedding: int = 16
    dropout: float = 0.2

    def __post_init__(self):
        object.__setattr__(self, "categories", tuple(self.categories))
        check_least(0, numbers=self.numbers)
        check_least(1, width=self.width, embedding=self.embedding)
        check_share(dropout=self.dropout)
        if not self.numbers and not self.categories:
            raise InputError("there must be at least one column", received="no numbers and no categories")
        for place, size in enumerate(self.categories, 1):
            if size < 2:
                raise InputError("a column of categories has at least 2 ids", received=size, where=f"category {place}")

    def encode(self, name: str, present: Any = None) -> Encoded:
        """Builds the layers; see `Branch.encode`. All columns are one token of the sequence."""
        many = 2 * self.numbers
        given = keras.Input((many + len(self.categories),), name=name)  # [batch, 2 numbers + categories]
        x = where_present(present, given)
        parts = [x[:, :many]] if many else []
        for place, size in enumerate(self.categories):
            ids = ops.cast(x[:, many + place], "int32")  # [batch]
            features = min(self.embedding, (size + 1) // 2)
            parts.append(layers.Embedding(size, features, name=f"{name}_category_{place + 1}")(ids))
        joined = ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        vector = layers.Dense(self.width, "relu", name=f"{name}_hidden")(joined)  # [batch, width]
        if self.dropout:
            vector = layers.Dropout(self.dropout, name=f"{name}_dropout")(vector)
        sequence = ops.expand_dims(vector, 1)  # [batch, 1, width]
        return Encoded(given, sequence, ops.ones_like(sequence[:, :, 0], dtype="bool"), vector, present)

"""Long texts in overlapping windows, cut and put together inside the model."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
from keras import ops

from kerasft.base.errors import InputError
from kerasft.models.checks import check_known
from kerasft.models.pooling import pool

WindowPooling = Literal["mean", "max", "attention"]

FRAME = 2
"""Tokens of a window that are not of the text: "[CLS]" and "[SEP]"."""


@dataclass(frozen=True)
class Windows:
    """How a text that is longer than the encoder's positions is read: window by window (Pappagari et al. 2019,
    "Hierarchical transformers for long document classification", section 3).

    Args:
        size: tokens of a window, "[CLS]" and "[SEP]" included. Default 128.
        stride: tokens from the start of a window to that of the next; the rest overlap. None: three quarters of the
            text in a window.
        pooling: how the windows' vectors become one: "mean", "max", or "attention", a learnt weighted mean (Yang et
            al. 2016, equations 5 to 7). Default "mean".

    Raises:
        InputError: if an option is out of bounds.

    Example:
        >>> Windows(size=10, stride=6).count(8), Windows(size=10, stride=6).count(9)
        (1, 2)
    """

    size: int = 128
    stride: int | None = None
    pooling: WindowPooling = "mean"

    def __post_init__(self):
        check_known("pooling", self.pooling, get_args(WindowPooling))
        if self.size < FRAME + 1:
            raise InputError("a window must have room for [CLS], a token and [SEP]", received=self.size)
        if self.stride is None:
            object.__setattr__(self, "stride", max(1, self.content * 3 // 4))
        if not 1 <= self.stride <= self.content:
            raise InputError(
                "the windows' stride must be at least 1 and at most the tokens of the text in a window",
                received=self.stride,
                allowed=f"1 to {self.content} for windows of {self.size}",
                hint="With a longer stride words between two windows would be read by neither.",
            )

    @property
    def content(self) -> int:
        """Tokens of the text in a window."""
        return self.size - FRAME

    def count(self, length: int) -> int:
        """The windows of a text of `length` tokens: as few as reach its end, one at least."""
        return 1 + max(0, -(-(length - self.content) // self.stride))


@keras.saving.register_keras_serializable(package="kerasft")
class CutWindows(keras.layers.Layer):
    """Cuts rows of tokens into windows.

    A row's windows depend on its own length alone, whatever it shares a batch with: window w has the tokens from
    w x stride on, and is real if the windows before it do not reach the row's end.

    Args:
        content: tokens of a window.
        stride: tokens from one window to the next.

    Example:
        >>> tokens, real = CutWindows(content=3, stride=2)(np.array([[4, 5, 6, 7], [8, 9, 0, 0]]))
        >>> np.asarray(tokens).tolist(), np.asarray(real).tolist()
        ([[4, 5, 6], [6, 7, 0], [8, 9, 0], [0, 0, 0]], [[True, True], [True, False]])
    """

    def __init__(self, content: int, stride: int, **options: Any):
        super().__init__(**options)
        self.content, self.stride = content, stride

    def call(self, tokens: Any) -> tuple[Any, Any]:
        """Cuts.

        Args:
            tokens: int [batch, time], padded with 0 on the right.

        Returns:
            The windows of the first row, then those of the second, ...: int [batch x windows, at most content],
            padded with 0; and which of them are real, bool [batch, windows]. There are as many for each row as the
            longest needs.
        """
        batch, time = ops.shape(tokens)[0], ops.shape(tokens)[1]
        width = _least(time, self.content)
        count = 1 + _most(0, time - self.content + self.stride - 1) // self.stride
        starts = ops.expand_dims(ops.arange(count, dtype="int32") * self.stride, 1)  # [windows, 1]
        places = starts + ops.arange(width, dtype="int32")  # [windows, width]
        padded = ops.concatenate([tokens, ops.zeros_like(tokens[:, :1])], axis=1)  # [batch, time + 1]: a 0 to point at
        cut = ops.take(padded, ops.minimum(places, time), axis=1)  # [batch, windows, width]
        length = ops.sum(ops.cast(ops.not_equal(tokens, 0), "int32"), axis=1, keepdims=True)  # [batch, 1]
        begins = ops.reshape(starts, (1, -1))  # [1, windows]
        real = ops.logical_or(begins < 1, begins - self.stride + self.content < length)  # [batch, windows]
        # Windows of what others have read already are emptied: they are not real, and cheaper to tell apart.
        cut = ops.where(ops.expand_dims(real, -1), cut, ops.zeros_like(cut))
        return ops.reshape(cut, (batch * count, width)), real

    def compute_output_spec(self, tokens: Any) -> tuple[Any, Any]:
        """Shapes and dtypes of the windows and of which are real."""
        batch = tokens.shape[0]
        return keras.KerasTensor((None, None), tokens.dtype), keras.KerasTensor((batch, None), "bool")

    def get_config(self) -> dict[str, Any]:
        """The options."""
        return {**super().get_config(), "content": self.content, "stride": self.stride}


@keras.saving.register_keras_serializable(package="kerasft")
class GatherWindows(keras.layers.Layer):
    """Puts the vectors of windows back beside each other, row by row: the way back from `CutWindows`."""

    def call(self, vectors: Any, real: Any) -> Any:
        """Reshapes.

        Args:
            vectors: float [batch x windows, width].
            real: bool [batch, windows].

        Returns:
            float [batch, windows, width].
        """
        shape = ops.shape(real)
        return ops.reshape(vectors, (shape[0], shape[1], vectors.shape[-1]))

    def compute_output_spec(self, vectors: Any, real: Any) -> Any:
        """Shape and dtype of the vectors."""
        return keras.KerasTensor((*real.shape, vectors.shape[-1]), vectors.dtype)


def cut_windows(tokens: Any, windows: Windows, prefix: str = "") -> tuple[Any, Any]:
    """Tokens [batch, time] to windows of tokens and which are real; see `CutWindows`."""
    return CutWindows(windows.content, windows.stride, name=f"{prefix}windows")(tokens)


def pool_windows(vectors: Any, real: Any, windows: Windows, prefix: str = "") -> Any:
    """One vector a text out of one a window; those that are not real have no part in it.

    Args:
        vectors: float [batch x windows, width].
        real: bool [batch, windows].
        windows: the options.
        prefix: of the layers' names.

    Returns:
        float [batch, width].
    """
    x = GatherWindows(name=f"{prefix}gather_windows")(vectors, real)  # [batch, windows, width]
    return pool(x, real, windows.pooling, name=f"{prefix}window_attention")


def _least(a: Any, b: int) -> Any:
    """The smaller; a number stays one, so that backends of fixed shapes know it."""
    return min(a, b) if isinstance(a, int) else ops.minimum(a, b)


def _most(a: int, b: Any) -> Any:
    return max(a, b) if isinstance(b, int) else ops.maximum(a, b)

"""Small convolutional networks over an image or a spectrogram, quick on a CPU."""

from collections.abc import Sequence
from typing import Any

from keras import layers, ops


def convolutions(x: Any, channels: Sequence[int], prefix: str) -> Any:
    """3 x 3 convolutions with max pooling between them, each pooling halving both sides.

    The first convolution has a stride of 2: it works on four times as many places as any other and would take
    half of the time. Group normalisation (Wu & He 2018, equations 1 to 6) stands after the others; unlike batch
    normalisation it looks at one row alone, so that rows whose image is missing cannot disturb the rest.

    Args:
        x: float [batch, height, width, colours].
        channels: of each convolution.
        prefix: what the layers' names begin with.

    Returns:
        float [batch, height / 2^n, width / 2^n, channels[-1]] for n convolutions.
    """
    for number, count in enumerate(channels, 1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"{prefix}_pool_{number - 1}")(x)
        x = convolution(x, count, f"{prefix}_conv_{number}", stride=2 if number == 1 else 1)
        if number > 1:
            x = normalise(x, f"{prefix}_norm_{number}")
        x = layers.ReLU(name=f"{prefix}_relu_{number}")(x)
    return x


def convolution(x: Any, channels: int, name: str, size: int = 3, stride: int = 1) -> Any:
    """A convolution that keeps the sides (divided by the stride), started after He et al. 2015."""
    layer = layers.Conv2D(channels, size, stride, padding="same", kernel_initializer="he_normal", name=name)
    return layer(x)


def normalise(x: Any, name: str) -> Any:
    """Group normalisation with groups of 8 channels, or of as many as divide them."""
    channels = x.shape[-1]
    size = next(size for size in (8, 4, 2, 1) if channels % size == 0)
    # A smaller epsilon would blow up the rounding of silent sounds and plain images, where there is next to no
    # variance: answers differed by 6e-6 between batch sizes with 1e-5.
    return layers.GroupNormalization(channels // size, epsilon=1e-3, name=name)(x)


def flat_map(x: Any) -> tuple[Any, Any, Any]:
    """A map as a sequence of its places, which are all real, and as one vector.

    Args:
        x: float [batch, height, width, channels], with known sides, or [batch, places, channels].

    Returns:
        float [batch, places, channels]; bool [batch, places]; mean and maximum, float [batch, 2 channels].
    """
    if len(x.shape) == 4:
        height, width, channels = x.shape[1:]
        x = ops.reshape(x, (-1, height * width, channels))
    mask = ops.ones_like(x[:, :, 0], dtype="bool")
    return x, mask, ops.concatenate([ops.mean(x, axis=1), ops.max(x, axis=1)], axis=-1)

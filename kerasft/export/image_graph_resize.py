"""Pillow's `resize` and `reduce` inside a graph, pixel for pixel: the same coefficients, the same integer sums."""

import tensorflow as tf

from kerasft.inputs.image_fit import GAP

_BITS = 32 - 8 - 2  # of a coefficient's fraction: what is left of 32 beside a pixel, a sign and a guard
_SUPPORT = {"bilinear": 1.0, "bicubic": 2.0}


def scale(pixels: tf.Tensor, height: tf.Tensor, width: tf.Tensor, resample: str) -> tf.Tensor:
    """The twin of `image_fit.scaled`: means of whole pixels first where an image is large, then `resize`.

    Args:
        pixels: uint8 [h, w, channels].
        height, width: of the result, int32 scalars.
        resample: "bilinear" or "bicubic".

    Returns:
        uint8 [height, width, channels].
    """
    h, w = tf.shape(pixels)[0], tf.shape(pixels)[1]
    lines, columns = tf.maximum(1, h // (GAP * height)), tf.maximum(1, w // (GAP * width))

    def reduced() -> tf.Tensor:
        top, left = h % lines // 2, w % columns // 2
        return reduce(pixels[top : top + h // lines * lines, left : left + w // columns * columns], lines, columns)

    pixels = tf.cond((lines > 1) | (columns > 1), reduced, lambda: pixels)
    return resize(pixels, height, width, resample)


def resize(pixels: tf.Tensor, height: tf.Tensor, width: tf.Tensor, resample: str) -> tf.Tensor:
    """Resizes an image: anti-aliased, separable, rounded to 8 bits after either pass.

    An output pixel is the sum over the input pixels near it of coefficients in 22-bit fixed point, plus a
    half, shifted and clipped; first along the rows, then along the columns. A pass that keeps its length
    changes nothing and is left out.

    Args:
        pixels: uint8 [h, w, channels].
        height, width: of the result, int32 scalars.
        resample: "bilinear" or "bicubic".

    Returns:
        uint8 [height, width, channels].
    """
    shape = tf.shape(pixels)  # h, w, channels
    columns = tf.transpose(pixels, [1, 0, 2])  # [w, h, channels]
    columns = tf.cond(shape[1] == width, lambda: columns, lambda: _pass(columns, width, resample))
    rows = tf.transpose(columns, [1, 0, 2])  # [h, width, channels]
    return tf.cond(shape[0] == height, lambda: rows, lambda: _pass(rows, height, resample))


def reduce(pixels: tf.Tensor, lines: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Means of blocks, as Pillow's `Image.reduce` rounds them.

    Args:
        pixels: uint8 [h, w, channels]; h and w are multiples of the block's sides.
        lines, columns: of a block, int32 scalars.

    Returns:
        uint8 [h / lines, w / columns, channels].
    """
    shape, area = tf.shape(pixels), lines * columns
    blocks = tf.reshape(pixels, [shape[0] // lines, lines, shape[1] // columns, columns, shape[2]])
    sums = tf.reduce_sum(tf.cast(tf.reduce_sum(tf.cast(blocks, tf.int32), axis=1), tf.int64), axis=2)
    # A division by way of 32 bits: 2^24 / area, in single precision and cut, as Pillow has it.
    part = tf.cast(tf.cast(1 << 24, tf.float32) / tf.cast(area, tf.float32), tf.int64)
    means = tf.bitwise.right_shift((sums + tf.cast(area // 2, tf.int64)) * part, tf.constant(24, tf.int64))
    return tf.cast(means, tf.uint8)


def _pass(pixels: tf.Tensor, length: tf.Tensor, resample: str) -> tf.Tensor:
    """Resizes along the first axis: uint8 [n, m, channels] to [length, m, channels]."""
    shape = tf.shape(pixels)
    flat = tf.cast(tf.reshape(pixels, [shape[0], shape[1] * shape[2]]), tf.int32)
    first, weights = coefficients(shape[0], length, resample)  # [length], [length, taps]
    taps = tf.shape(weights)[1]
    places = tf.minimum(first[:, None] + tf.range(taps), shape[0] - 1)  # what lies outside has no weight
    lines = tf.broadcast_to(tf.range(length)[:, None], tf.shape(places))
    indices = tf.cast(tf.reshape(tf.stack([lines, places], axis=-1), [-1, 2]), tf.int64)
    band = tf.SparseTensor(indices, tf.reshape(weights, [-1]), tf.cast(tf.stack([length, shape[0]]), tf.int64))
    sums = tf.sparse.sparse_dense_matmul(band, flat) + (1 << (_BITS - 1))  # int32 [length, m * channels]
    clipped = tf.clip_by_value(tf.bitwise.right_shift(sums, _BITS), 0, 255)
    return tf.reshape(tf.cast(clipped, tf.uint8), [length, shape[1], shape[2]])


def coefficients(before: tf.Tensor, after: tf.Tensor, resample: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Which input pixels an output pixel is made of, and how much of each.

    Args:
        before, after: lengths, int32 scalars.
        resample: "bilinear" or "bicubic".

    Returns:
        The first input pixel, int32 [after], and the coefficients of it and those behind it in 22-bit fixed
        point, int32 [after, taps], 0 where there are fewer.
    """
    scale = tf.cast(before, tf.float64) / tf.cast(after, tf.float64)
    stretch = tf.maximum(scale, 1.0)
    support = _SUPPORT[resample] * stretch
    center = (tf.cast(tf.range(after), tf.float64) + 0.5) * scale  # [after]
    first = tf.maximum(tf.cast(center - support + 0.5, tf.int32), 0)  # casts cut towards zero, as in C
    last = tf.minimum(tf.cast(center + support + 0.5, tf.int32), before)
    taps = tf.range(2 * tf.cast(tf.math.ceil(support), tf.int32) + 1)
    distance = tf.cast(taps + first[:, None], tf.float64) - center[:, None] + 0.5  # [after, taps]
    weights = _kernel(distance * (1.0 / stretch), resample)
    weights = tf.where(taps < (last - first)[:, None], weights, tf.zeros_like(weights))
    weights /= tf.cumsum(weights, axis=1)[:, -1:]  # adds from left to right, as Pillow does; reduce_sum may not
    scaled = weights * (1 << _BITS)
    return first, tf.cast(scaled + tf.where(weights < 0, tf.constant(-0.5, tf.float64), 0.5), tf.int32)


def _kernel(x: tf.Tensor, resample: str) -> tf.Tensor:
    x, zero = tf.abs(x), tf.zeros_like(x)
    if resample == "bilinear":
        return tf.where(x < 1.0, 1.0 - x, zero)
    a = -0.5  # Keys (1981), equation 4
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return tf.where(x < 1.0, near, tf.where(x < 2.0, far, zero))

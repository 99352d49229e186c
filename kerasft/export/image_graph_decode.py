"""Bytes of an image to upright pixels without alpha inside a graph, as `kerasft.inputs.image_decode` does."""

import tensorflow as tf

from kerasft.export.image_graph_gif import decode_gif
from kerasft.inputs.image_head import HEAD, KINDS

_STARTS = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF8", "bmp": b"BM", "webp": b"RIFF"}


def decode(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    """Decodes one image.

    Args:
        data: string scalar, the bytes of a jpeg, png, gif, bmp or webp that `graph_decodes` allows.
        background: red, green and blue behind what is transparent.

    Returns:
        uint8 [h, w, 3].
    """
    branches = [_BRANCHES[kind] for kind in KINDS]
    starts = [tf.strings.substr(data, 0, len(_STARTS[kind])) == _STARTS[kind] for kind in KINDS]
    known = tf.reduce_any(starts)
    check = tf.debugging.Assert(known, ["this is no jpeg, png, gif, bmp or webp image"])
    with tf.control_dependencies([check]):
        index = tf.cast(tf.argmax(tf.stack(starts)), tf.int32)
    return tf.switch_case(index, [lambda branch=branch: branch(data, background) for branch in branches])


def _jpeg(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    pixels = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True)
    turn = orientation(data)
    return tf.cond(turn > 1, lambda: _upright(pixels, turn), lambda: pixels)


def _png(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    # Where a pixel has less than 8 bits TensorFlow fills in a wrong alpha if asked for four channels, and
    # a palette with transparency gives four channels unasked.
    bits = tf.io.decode_raw(tf.strings.substr(data, 24, 1), tf.uint8)[0]
    pixels = tf.cond(bits < 8, lambda: tf.io.decode_png(data, channels=0), lambda: tf.io.decode_png(data, channels=4))
    return _opaque(pixels, background)


def _bmp(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    pixels = tf.io.decode_bmp(data, channels=0)  # [h, w, 1, 3 or 4]; one channel holds numbers of the palette
    head = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, 54), tf.uint8), tf.int32)
    bits = head[28]
    check = tf.debugging.Assert(
        (head[30] == 0) & tf.reduce_any(bits == [8, 24, 32]), ["bmp of this kind must be sent as png"]
    )

    def look_up() -> tf.Tensor:
        colours = head[46] + 256 * head[47]
        colours = tf.where(colours == 0, 256, colours)
        table = tf.strings.substr(data, 14 + head[14], 4 * colours)
        table = tf.reshape(tf.io.decode_raw(table, tf.uint8), [-1, 4])[:, 2::-1]  # stored as blue, green, red, 0
        return tf.gather(table, tf.cast(pixels[..., 0], tf.int32))

    with tf.control_dependencies([check]):
        return tf.cond(bits == 8, look_up, lambda: pixels[..., :3])


def _webp(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    # TensorFlow's op ends the process when it decodes an animation, so that none may reach it.
    flags = tf.io.decode_raw(tf.strings.substr(data, 20, 1), tf.uint8)[0]
    moves = (tf.strings.substr(data, 12, 4) == b"VP8X") & (tf.bitwise.bitwise_and(flags, 2) != 0)
    check = tf.debugging.Assert(~moves, ["an animated webp must be sent as png"])
    with tf.control_dependencies([check]):
        pixels = tf.io.decode_image(tf.identity(data), channels=0, expand_animations=False)
    return _opaque(tf.ensure_shape(pixels, [None, None, None]), background)


_BRANCHES = {"jpeg": _jpeg, "png": _png, "gif": decode_gif, "bmp": _bmp, "webp": _webp}


def _opaque(pixels: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    """uint8 [h, w, 1, 3 or 4] to [h, w, 3]; alpha composited as `image_decode.composite` does."""

    def composite() -> tf.Tensor:
        wide = tf.cast(pixels, tf.int32)
        colours, alpha = wide[..., :3], wide[..., 3:]
        return tf.cast((colours * alpha + (255 - alpha) * tf.constant(background) + 127) // 255, tf.uint8)

    def plain() -> tf.Tensor:
        return tf.repeat(pixels, 3 // tf.shape(pixels)[2], axis=2)

    return tf.cond(tf.shape(pixels)[2] == 4, composite, plain)


def orientation(data: tf.Tensor) -> tf.Tensor:
    """The twin of `image_head.orientation_of` for a JPEG: int32 scalar, 1 to 8."""
    head = tf.strings.substr(data, 0, HEAD)
    codes = tf.io.decode_raw(head, tf.uint8)  # [n]
    # Where a marker segment of Exif begins: FF E1, two bytes of length, "Exif", 0, 0.
    found = tf.fill([tf.maximum(tf.size(codes) - 9, 0)], True)
    for offset, code in ((0, 0xFF), (1, 0xE1), *enumerate(b"Exif\0\0", 4)):
        found &= codes[offset : offset + tf.size(found)] == code
    start = tf.concat([tf.where(found)[:, 0], [-1]], 0)[0]
    return tf.cond(start >= 0, lambda: _entry(tf.cast(codes[start + 10 :], tf.int32)), lambda: tf.constant(1))


def _entry(tiff: tf.Tensor) -> tf.Tensor:
    """The orientation by the first directory of a TIFF header, int32 [n]."""
    tiff = tf.concat([tiff, tf.fill([16], -1)], 0)  # what lies behind the end matches nothing
    little = tf.reduce_all(tiff[:4] == [0x49, 0x49, 42, 0])
    big = tf.reduce_all(tiff[:4] == [0x4D, 0x4D, 0, 42])
    powers = tf.where(little, [1, 1 << 8, 1 << 16, 1 << 24], [1 << 24, 1 << 16, 1 << 8, 1])
    inside = tf.size(tiff) - 16
    directory = tf.reduce_sum(tf.cast(tiff[4:8], tf.int64) * tf.cast(powers, tf.int64))

    def look(directory: tf.Tensor) -> tf.Tensor:
        first = tf.where(little, tiff[directory], tiff[directory + 1])
        second = tf.where(little, tiff[directory + 1], tiff[directory])
        count = tf.minimum(first + 256 * second, (inside - directory) // 12 + 1)
        starts = directory + 2 + 12 * tf.range(tf.maximum(count, 0))
        starts = tf.boolean_mask(starts, starts + 12 <= tf.size(tiff))
        entries = tf.gather(tiff, starts[:, None] + tf.range(10))  # [entries, 10]
        # Entry 0x0112, of type SHORT, one value.
        wanted = tf.where(little, [0x12, 1, 3, 0, 1, 0, 0, 0], [1, 0x12, 0, 3, 0, 0, 0, 1])
        hits = tf.boolean_mask(entries, tf.reduce_all(entries[:, :8] == wanted, axis=1))[:, 8:]
        low_high = tf.concat([hits, [[1, 1]]], 0)[0]
        value = tf.where(little, low_high[0] + 256 * low_high[1], 256 * low_high[0] + low_high[1])
        return tf.where((tf.shape(hits)[0] > 0) & (value >= 1) & (value <= 8), value, 1)

    sane = (little | big) & (directory + 2 <= tf.cast(inside, tf.int64))
    return tf.cond(sane, lambda: look(tf.cast(directory, tf.int32)), lambda: tf.constant(1))


def _upright(pixels: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """uint8 [h, w, 3] turned as its orientation asks: transposed, then mirrored."""
    pixels = tf.cond(turn >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    pixels = tf.cond(tf.reduce_any(turn == [2, 3, 6, 7]), lambda: pixels[:, ::-1], lambda: pixels)
    return tf.cond(tf.reduce_any(turn == [3, 4, 7, 8]), lambda: pixels[::-1], lambda: pixels)

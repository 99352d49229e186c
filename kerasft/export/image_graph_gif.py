"""The first frame of a gif inside a graph, transparent or not."""

import tensorflow as tf

_BYTES = [bytes([value]) for value in range(256)]


def decode_gif(data: tf.Tensor, background: tuple[int, int, int]) -> tf.Tensor:
    """Decodes the first frame, which must fill the canvas.

    TensorFlow makes black of what is transparent. So the colour table is changed first: the transparent entry
    gets the background's colour, and the mark that it is transparent goes (GIF89a, sections 19 to 23).

    Args:
        data: string scalar, the bytes of a gif.
        background: red, green and blue behind what is transparent.

    Returns:
        uint8 [h, w, 3].
    """
    codes = tf.cast(tf.io.decode_raw(data, tf.uint8), tf.int32)
    codes = tf.concat([codes, tf.zeros([16], tf.int32)], 0)  # a walk that leaves the file ends here
    frame, control = _first_frame(codes)
    whole = (codes[frame] == 0x2C) & tf.reduce_all(codes[frame + 1 : frame + 5] == 0)
    whole &= tf.reduce_all(codes[frame + 5 : frame + 9] == codes[6:10])
    check = tf.debugging.Assert(whole, ["a gif whose first frame does not fill it must be sent as png"])
    with tf.control_dependencies([check]):
        flags, index = codes[control + 3], codes[control + 6]
    own_table = tf.bitwise.bitwise_and(codes[frame + 9], 0x80) > 0
    colour = tf.where(own_table, frame + 10, 13) + 3 * index

    def opaque() -> tf.Tensor:
        mark = tf.gather(tf.constant(_BYTES), tf.bitwise.bitwise_and(flags, 0xFE))
        return _replace(_replace(data, control + 3, mark), colour, bytes(background))

    clear = (control >= 0) & (tf.bitwise.bitwise_and(flags, 1) > 0)
    pixels = tf.io.decode_image(tf.cond(clear, opaque, lambda: data), channels=3, expand_animations=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def _first_frame(codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the first frame begins, and the graphic control extension before it, or -1; int32 scalars."""
    last = tf.size(codes) - 16

    def block(at: tf.Tensor, control: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        control = tf.where(codes[at + 1] == 0xF9, at, control)
        ends = tf.while_loop(
            lambda part: (codes[part] > 0) & (part < last),
            lambda part: [tf.minimum(part + 1 + codes[part], last)],
            [at + 2],
        )
        return tf.minimum(ends[0] + 1, last), control

    table = tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(codes[10], 7))
    start = 13 + tf.where(tf.bitwise.bitwise_and(codes[10], 0x80) > 0, table, 0)
    return tf.while_loop(lambda at, control: codes[at] == 0x21, block, (tf.minimum(start, last), tf.constant(-1)))


def _replace(data: tf.Tensor, at: tf.Tensor, new: tf.Tensor | bytes) -> tf.Tensor:
    """Bytes with some of them replaced by as many."""
    new = tf.convert_to_tensor(new)
    end = at + tf.strings.length(new)
    tail = tf.strings.substr(data, end, tf.strings.length(data) - end)
    return tf.strings.join([tf.strings.substr(data, 0, at), new, tail])

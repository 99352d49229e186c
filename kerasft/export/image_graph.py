"""The in-graph twin of `kerasft.inputs.Image`: bytes to pixels by core TensorFlow operations alone."""

import tensorflow as tf

from kerasft.export.image_graph_decode import decode
from kerasft.export.image_graph_resize import scale
from kerasft.inputs import Image


class ImageGraph(tf.Module):
    """Turns encoded images into arrays inside a graph, bit for bit as `Image.encode` does.

    An empty string is a missing image. A batch that holds what `Image.servable` would re-encode, or what is no
    image, is refused. The work is put on the processor, wherever the rest of the graph runs.

    Args:
        image: the image input to follow.

    Example:
        >>> graph = ImageGraph(Image(size=8))
        >>> pixels, present = graph({"photo_bytes": tf.constant([b""])})
        >>> pixels.shape, present.numpy()
        (TensorShape([1, 8, 8, 3]), array([0.], dtype=float32))
    """

    def __init__(self, image: Image):
        super().__init__(name="image_graph")
        self._size, self._fit, self._resample = image.size, image.fit, image.resample
        self._background = image.background

    def raw_specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """What the graph is given: `<name>_bytes`, string [batch]."""
        return {f"{name}_bytes": tf.TensorSpec([None], tf.string, name=f"{name}_bytes")}

    def __call__(self, raw: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Decodes and resizes a batch.

        Args:
            raw: one entry, string [batch]: the bytes of images, or "" where there is none.

        Returns:
            uint8 [batch, height, width, 3], zeros where there is no image, and float32 [batch]: 1 where there is.
        """
        (data,) = raw.values()
        with tf.device("CPU:0"):
            present = tf.strings.length(data) > 0
            row = tf.TensorSpec((*self._size, 3), tf.uint8)
            pixels = tf.map_fn(self._row, data, fn_output_signature=row)
            return pixels, tf.cast(present, tf.float32)

    def _row(self, data: tf.Tensor) -> tf.Tensor:
        blank = tf.zeros((*self._size, 3), tf.uint8)
        return tf.cond(tf.strings.length(data) > 0, lambda: self._image(data), lambda: blank)

    def _image(self, data: tf.Tensor) -> tf.Tensor:
        height, width = self._size
        pixels = decode(data, self._background)  # [h, w, 3]
        shape = tf.shape(pixels)
        left, top, w, h = 0, 0, shape[1], shape[0]
        to_width, to_height = tf.constant(width), tf.constant(height)
        if self._fit == "crop":
            left, top, w, h = _crop_box(w, h, width, height)
        elif self._fit == "pad":
            to_width, to_height = _padded_size(w, h, width, height)
        pixels = scale(pixels[top : top + h, left : left + w], to_height, to_width, self._resample)
        if self._fit == "pad":
            top, left = (height - to_height) // 2, (width - to_width) // 2
            pixels = tf.cast(pixels, tf.int32) - tf.constant(self._background)
            pixels = tf.pad(pixels, [[top, height - to_height - top], [left, width - to_width - left], [0, 0]])
            pixels = tf.cast(pixels + tf.constant(self._background), tf.uint8)
        return tf.ensure_shape(pixels, (height, width, 3))


def _crop_box(w: tf.Tensor, h: tf.Tensor, width: int, height: int) -> tuple[tf.Tensor, ...]:
    """The twin of `image_fit.crop_box`: left, top, width and height."""
    box_width = tf.minimum(w, tf.maximum(1, (2 * h * width + height) // (2 * height)))
    box_height = tf.minimum(h, tf.maximum(1, (2 * w * height + width) // (2 * width)))
    return (w - box_width) // 2, (h - box_height) // 2, box_width, box_height


def _padded_size(w: tf.Tensor, h: tf.Tensor, width: int, height: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The twin of `image_fit.padded_size`: width and height."""
    fit_width = tf.minimum(width, tf.maximum(1, (2 * height * w + h) // (2 * h)))
    fit_height = tf.minimum(height, tf.maximum(1, (2 * width * h + w) // (2 * w)))
    return fit_width, fit_height

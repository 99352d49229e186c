"""An upright image to the wanted size: cropped, padded or stretched, and resized."""

from typing import Literal

import numpy as np
from PIL import Image as Pillow

Fit = Literal["crop", "pad", "stretch"]
Resample = Literal["bilinear", "bicubic"]

GAP = 3
"""A side is averaged down to this many times the wanted length at least: Pillow's own advice for `reducing_gap`,
where the result is hard to tell from that of a resize in one step."""

_FILTERS = {"bilinear": Pillow.Resampling.BILINEAR, "bicubic": Pillow.Resampling.BICUBIC}


def fit_image(
    image: Pillow.Image, out: np.ndarray, fit: Fit, resample: Resample, background: tuple[int, int, int]
) -> None:
    """Writes an image into an array of another size.

    Args:
        image: of mode "L" or "RGB".
        out: uint8 [height, width, 3], written in place.
        fit, resample, background: as in `Image`.
    """
    height, width = out.shape[:2]
    box = (0, 0, *image.size)
    if fit == "crop":
        box = crop_box(*image.size, width, height)
    elif fit == "pad":
        width, height = padded_size(*image.size, width, height)
        top, left = (out.shape[0] - height) // 2, (out.shape[1] - width) // 2
        out[:] = background
        out = out[top : top + height, left : left + width]
    image = scaled(image, box, width, height, resample)
    out[:] = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width, -1)  # grey goes to all three


def scaled(
    image: Pillow.Image, box: tuple[int, int, int, int], width: int, height: int, resample: Resample
) -> Pillow.Image:
    """A box of an image at another size.

    A large image is first reduced to means of blocks of whole pixels, which are cheap, and then resized with a
    filter: the rows first, then the columns, rounded to 8 bits each time.

    Args:
        image: of mode "L" or "RGB".
        box: left, top, right, bottom; nothing outside of it is looked at.
        width, height: of the result.
        resample: "bilinear" or "bicubic".
    """
    columns, lines = whole_factor(box[2] - box[0], width), whole_factor(box[3] - box[1], height)
    if columns > 1 or lines > 1:
        image = image.reduce((columns, lines), trimmed(box, columns, lines))
    elif box != (0, 0, *image.size):
        image = image.crop(box)
    # One pass a call: which comes first would else depend on the shape, and on the version of Pillow (13 does).
    if image.width != width:
        image = image.resize((width, image.height), _FILTERS[resample])
    if image.height != height:
        image = image.resize((width, height), _FILTERS[resample])
    return image


def whole_factor(length: int, to_length: int) -> int:
    """By how much a side is first reduced to means of whole pixels: three times the wanted length remains.

    Example:
        >>> whole_factor(900, 64), whole_factor(300, 64)
        (4, 1)
    """
    return max(1, length // (GAP * to_length))


def trimmed(box: tuple[int, int, int, int], columns: int, lines: int) -> tuple[int, int, int, int]:
    """A box cut at its edges to whole multiples; less than a third of a pixel of the result is lost."""
    left, top, right, bottom = box
    left, top = left + (right - left) % columns // 2, top + (bottom - top) % lines // 2
    return left, top, left + (right - left) // columns * columns, top + (bottom - top) // lines * lines


def crop_box(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int, int, int]:
    """The largest centred box of the wanted shape: left, top, right, bottom; integer arithmetic.

    Example:
        >>> crop_box(300, 100, 64, 64)
        (100, 0, 200, 100)
    """
    box_width = min(width, max(1, (2 * height * to_width + to_height) // (2 * to_height)))
    box_height = min(height, max(1, (2 * width * to_height + to_width) // (2 * to_width)))
    left, top = (width - box_width) // 2, (height - box_height) // 2
    return left, top, left + box_width, top + box_height


def padded_size(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int]:
    """The largest size (width, height) of the image's shape that fits; integer arithmetic.

    Example:
        >>> padded_size(300, 100, 64, 64)
        (64, 21)
    """
    fit_width = min(to_width, max(1, (2 * to_height * width + height) // (2 * height)))
    fit_height = min(to_height, max(1, (2 * to_width * height + width) // (2 * width)))
    return fit_width, fit_height

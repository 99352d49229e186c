"""An upright image to the wanted size: cropped, padded or stretched, and resized."""

from typing import Literal

import numpy as np
from PIL import Image as Pillow

Fit = Literal["crop", "pad", "stretch"]
Resample = Literal["bilinear", "bicubic"]

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
    if fit == "crop":
        box = crop_box(image.width, image.height, width, height)
        if box != (0, 0, image.width, image.height):
            image = image.crop(box)
    elif fit == "pad":
        width, height = padded_size(image.width, image.height, width, height)
        top, left = (out.shape[0] - height) // 2, (out.shape[1] - width) // 2
        out[:] = background
        out = out[top : top + height, left : left + width]
    # One pass a call: which comes first would else depend on the shape, and on the version of Pillow (13 does).
    if image.width != width:
        image = image.resize((width, image.height), _FILTERS[resample])
    if image.height != height:
        image = image.resize((width, height), _FILTERS[resample])
    out[:] = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width, -1)  # grey goes to all three


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

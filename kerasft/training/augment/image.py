"""Images changed a little on their way into a batch: mirrored, shifted, recoloured, partly erased."""

from dataclasses import dataclass

import numpy as np

from kerasft.base.errors import InputError
from kerasft.inputs.stack import Stack

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_HUE = np.pi / 5  # radians either way at full strength
_CHUNK = 8  # images recoloured at once
_ERASED_AREA, _ERASED_ASPECT = (0.02, 0.4), (0.3, 1 / 0.3)  # Zhong et al. (2020), section 4.2


@dataclass(frozen=True)
class ImageAugmenter:
    """Random changes that leave what a photo shows as it is; a pure function of its arguments.

    In this order: mirrored left to right; shifted, with what is uncovered filled by reflection; brightness,
    contrast, saturation and hue changed together by one matrix an image; a rectangle replaced by noise (Random
    Erasing, Zhong et al. 2020, https://arxiv.org/abs/1708.04896). Rows without an image stay zeros.

    Args:
        flip: probability of mirroring. Default 0.5; 0 where left and right matter, as in writing.
        crop: the largest shift, as a share of each side, 0 to 0.5. Default 0.1.
        colour: strength, 0 to 1: brightness, contrast and saturation change by up to this share, the hue by
            up to 36 degrees times it. Default 0.2.
        erase: probability of erasing a rectangle of 2% to 40% of the area. Default 0.25.

    Raises:
        InputError: if an option is out of bounds.

    Example:
        >>> stack = Stack(np.zeros((3, 8, 8, 3), np.uint8), np.ones(3, bool))
        >>> ImageAugmenter(erase=1.0)(stack, np.array([0, 2]), np.random.default_rng(0)).shape
        (2, 8, 8, 3)
    """

    flip: float = 0.5
    crop: float = 0.1
    colour: float = 0.2
    erase: float = 0.25

    def __post_init__(self):
        for name, most in (("flip", 1), ("crop", 0.5), ("colour", 1), ("erase", 1)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise InputError(f"{name} must lie between 0 and {most}", received=value, where=name)

    def __call__(self, encoded: Stack, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Augmented rows.

        Args:
            encoded: uint8 values [all rows, height, width, 3].
            rows: which, int [n].
            rng: the only source of chance.

        Returns:
            uint8 [n, height, width, 3].
        """
        images = self.augment(encoded[rows], rng)
        images[~encoded.present[rows]] = 0
        return images

    def samples(self, images: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
        """Several augmented versions of each image, to be looked at.

        Args:
            images: uint8 [n, height, width, 3].
            rng: the only source of chance.
            count: versions of each.

        Returns:
            uint8 [n, count, height, width, 3].
        """
        return self.augment(np.repeat(images, count, axis=0), rng).reshape(len(images), count, *images.shape[1:])

    def augment(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changes each image of a batch: uint8 [n, height, width, 3] to the same, in memory of its own."""
        images = _move(images, rng, self.flip, self.crop)
        if self.colour:
            images = _recolour(images, rng, self.colour)
        if self.erase:
            _erase(images, rng, self.erase)
        return images


def _move(images: np.ndarray, rng: np.random.Generator, flip: float, crop: float) -> np.ndarray:
    n, height, width = images.shape[:3]
    mirrored = rng.random((n, 1)) < flip
    shift_y, shift_x = (rng.integers(-reach, reach + 1, (n, 1)) for reach in (int(crop * height), int(crop * width)))
    columns = _reflect(np.arange(width) + shift_x, width)  # [n, width]
    columns = np.where(mirrored, width - 1 - columns, columns)
    lines = np.arange(n)[:, None] * height + _reflect(np.arange(height) + shift_y, height)  # [n, height]
    pixels = lines[:, :, None] * width + columns[:, None, :]  # [n, height, width]
    return images.reshape(-1, 3).take(pixels, axis=0)


def _reflect(places: np.ndarray, length: int) -> np.ndarray:
    last = length - 1
    return last - np.abs(last - np.abs(places))


def _recolour(images: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """x to A x + b for colours x: saturation and hue, contrast around the mean of the image, brightness."""
    n, height, width = images.shape[:3]
    draws = rng.uniform(-strength, strength, (4, n, 1, 1)).astype(np.float32)
    brightness, contrast, saturation = 1 + draws[:3]
    grey = np.broadcast_to(_LUMA, (3, 3))  # each row turns a colour into its grey
    colours = grey + saturation * (np.eye(3, dtype=np.float32) - grey)  # [n, 3, 3]
    matrix = contrast * brightness * (_rotation(draws[3] * _HUE) @ colours)  # [n, 3, 3]
    matrix, offset = np.ascontiguousarray(matrix.transpose(0, 2, 1)), (1 - contrast) * brightness
    result = np.empty((n, height * width, 3), np.uint8)
    before, after = np.empty((2, _CHUNK, height * width, 3), np.float32)  # small enough to stay in a core's cache
    for start in range(0, n, _CHUNK):
        part = slice(start, min(start + _CHUNK, n))
        old, new = before[: part.stop - start], after[: part.stop - start]
        old[:] = images[part].reshape(old.shape)
        mean = old.reshape(len(old), -1).mean(axis=1)[:, None, None]
        np.matmul(old, matrix[part], out=new)
        new += offset[part] * mean + 0.5  # the half rounds
        result[part] = np.clip(new, 0, 255, out=new)
    return result.reshape(images.shape)


def _rotation(angle: np.ndarray) -> np.ndarray:
    """Rotations of colours around grey, float32 [n, 3, 3], by Rodrigues' formula; angle [n, 1, 1] in radians."""
    axis = np.full((3, 3), 1 / 3, np.float32)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / np.float32(np.sqrt(3))
    return np.cos(angle) * (np.eye(3, dtype=np.float32) - axis) + np.sin(angle) * cross + axis


def _erase(images: np.ndarray, rng: np.random.Generator, share: float) -> None:
    """Replaces a rectangle by noise, in place; one that does not fit is cut at the far edges."""
    n, height, width = images.shape[:3]
    chosen = rng.random(n) < share
    area = rng.uniform(*_ERASED_AREA, n) * height * width
    aspect = np.exp(rng.uniform(*np.log(_ERASED_ASPECT), n))  # height over width
    tall = np.minimum(np.sqrt(area * aspect), height).astype(int)
    wide = np.minimum(np.sqrt(area / aspect), width).astype(int)
    top = (rng.random(n) * (height - tall + 1)).astype(int)
    left = (rng.random(n) * (width - wide + 1)).astype(int)
    for row in np.flatnonzero(chosen & (tall > 0) & (wide > 0)):
        box = images[row, top[row] : top[row] + tall[row], left[row] : left[row] + wide[row]]
        box[:] = np.frombuffer(rng.bytes(box.size), np.uint8).reshape(box.shape)

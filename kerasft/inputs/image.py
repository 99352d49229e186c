"""Image: photos of any size to arrays of one size, the same way in training, in a served graph and in production."""

import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, get_args

import numpy as np
import PIL

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import content_hash, read_json, write_json
from kerasft.inputs.image_decode import BadImageError, load, read_bytes
from kerasft.inputs.image_fit import Fit, Resample, fit_image
from kerasft.inputs.image_head import graph_decodes
from kerasft.inputs.stack import OnBad, Stack, refuse_bad, stack_cached

Raw = bytes | str | Path | None

FORMAT = 1
"""Raised when an older kerasft can no longer read what a newer one writes."""

LARGEST = 4096
_CHUNK = 4  # images a thread takes at a time
# Bytes of a file: at 1 kB (60 x 80) one thread did 4,065 a second and two 3,146; at 200 kB two do twice as many.
_SMALL = 8_192
_LOOKED_AT = 16


class Image:
    """Turns raw images into uint8 arrays of one size.

    What becomes of an image: its first frame, upright by its Exif orientation (JPEG), 8 bits, alpha over the
    background; cropped or padded to the wanted shape; resized as Pillow resizes, separable and anti-aliased with
    22-bit fixed point coefficients: first the rows, then the columns, rounded to 8 bits after either pass. A side
    of six times the wanted length or more is averaged down first, by a whole factor, to three times or more.
    JPEG is decoded with the accurate integer transform and smooth chroma upsampling, never at a reduced scale.
    Grey images become three equal channels. `kerasft.export.image_graph` does the very same in a graph.

    Args:
        size: (height, width) of the result in pixels, or one number for both. Default (64, 64).
        fit: "crop": the largest centred part of the wanted shape; "pad": all of it, on the background;
            "stretch": all of it, out of shape. Default "crop".
        resample: "bilinear" or "bicubic", both anti-aliased. Default "bilinear".
        background: red, green, blue, 0 to 255, behind transparent images and beside padded ones. Default white.
        threads: how many images are decoded at once; None: one a core, but one for thumbnails. Changes no result.

    Raises:
        InputError: if an option is not allowed.

    Example:
        >>> image = Image(size=(32, 48))
        >>> image.encode([None]).present, image.encode([None])[0].shape
        (array([False]), (32, 48, 3))
    """

    type_name = "image"
    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        size: tuple[int, int] | int = (64, 64),
        fit: Fit = "crop",
        resample: Resample = "bilinear",
        background: Sequence[int] = (255, 255, 255),
        threads: int | None = None,
    ):
        self.size = _check_size(size)
        for name, value, allowed in (("fit", fit, get_args(Fit)), ("resample", resample, get_args(Resample))):
            if value not in allowed:
                raise InputError(
                    f"{name} is not known",
                    received=value,
                    where=name,
                    allowed=allowed,
                    hint=did_you_mean(str(value), allowed),
                )
        self.fit, self.resample, self.background = fit, resample, _check_background(background)
        if threads is not None and threads < 1:
            raise InputError("threads must be at least 1, or None", received=threads, where="threads")
        self.threads = threads

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one encoded image: height, width, 3."""
        return (*self.size, 3)

    def missing(self, value: Raw) -> bool:
        """Whether a raw value stands for no image: None, no bytes, or a blank path."""
        return value is None or (not value.strip() if isinstance(value, str) else value == b"")

    def encode(self, values: Sequence[Raw], on_bad: OnBad = "refuse") -> Stack:
        """Decodes and resizes images.

        Args:
            values: bytes of jpeg, png, webp, bmp or gif, paths of such files, or None for a missing one.
            on_bad: "refuse" raises an error for the first value that cannot be read; "missing" counts such
                values as missing and keeps the reasons.

        Returns:
            `Stack` of uint8 [rows, height, width, 3]; zeros where there is no image.

        Raises:
            InputError: for a value that is no image, too large, damaged or a missing file.
        """
        pixels, present, bad = self._encode(values)
        if on_bad == "refuse":
            refuse_bad(bad, values)
        return Stack(pixels, present, bad)

    def encode_cached(
        self,
        column: Sequence[Raw],
        cache: str | Path,
        on_bad: OnBad = "refuse",
        progress: Callable[[int], None] | None = None,
    ) -> Stack:
        """Encodes a column once and keeps the result under its content's hash; memory use is constant.

        Args:
            column: raw values; one with `batches(n)` is streamed by that.
            cache: the folder of cached columns.
            on_bad: as in `encode`.
            progress: called with the number of rows done so far.

        Returns:
            `Stack`, memory-mapped.
        """
        key = f"{self.digest()} Pillow {PIL.__version__}"  # another version may decode to other pixels
        return stack_cached(self._encode, column, key, Path(cache), self.shape, self.dtype, on_bad, progress)

    def servable(self, value: Raw) -> bytes:
        """The bytes to send to a SavedModel: the value's own, or a png where its graph could not decode them.

        A png is made of a gif whose first frame is smaller than its canvas, an animated webp, a bmp that is
        compressed or of 1, 4 or 16 bits, and a 16-bit png with a transparent colour. A missing value gives b"".

        Raises:
            InputError: if the value cannot be read.
        """
        if self.missing(value):
            return b""
        try:
            image, data = load(value, self.background), read_bytes(value)
        except BadImageError as error:
            raise InputError(str(error)) from error
        if graph_decodes(data):
            return data
        file = io.BytesIO()
        image.save(file, "png")
        return file.getvalue()

    def _encode(self, values: Sequence[Raw]) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
        rows = len(values)
        pixels = np.zeros((rows, *self.shape), np.uint8)
        present, bad, chunks = np.zeros(rows, bool), {}, count()

        def work() -> None:
            while (start := next(chunks) * _CHUNK) < rows:
                for row in range(start, min(start + _CHUNK, rows)):
                    if self.missing(values[row]):
                        continue
                    try:
                        image = load(values[row], self.background)
                        fit_image(image, pixels[row], self.fit, self.resample, self.background)
                        present[row] = True
                    except BadImageError as error:
                        bad[row] = str(error)

        threads = min(self.threads or (1 if _are_small(values) else _cores()), -(-rows // _CHUNK))
        if threads < 2:
            work()
        else:
            with ThreadPoolExecutor(threads) as pool:
                for task in [pool.submit(work) for _ in range(threads)]:
                    task.result()
        return pixels, present, dict(sorted(bad.items()))

    def spec(self) -> dict[str, Any]:
        """The options, JSON-able."""
        return {
            "type": self.type_name,
            "size": list(self.size),
            "fit": self.fit,
            "resample": self.resample,
            "background": list(self.background),
        }

    def digest(self) -> str:
        """SHA-256 over all that decides which array an image becomes."""
        return content_hash(json.dumps({"format": FORMAT, **self.spec()}, sort_keys=True))

    def save(self, folder: str | Path) -> None:
        """Writes image.json into a folder, atomically."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_json(Path(folder) / "image.json", {"format": FORMAT, **self.spec()})

    @classmethod
    def load(cls, folder: str | Path) -> "Image":
        """Reads what `save` wrote.

        Raises:
            InputError: if the file is missing or broken, or was written by a newer version.
        """
        path = Path(folder) / "image.json"
        hint = "Save or copy it again"
        try:
            options = read_json(path)
            version, kind = options.pop("format"), options.pop("type")
            if kind == cls.type_name and version > FORMAT:
                hint = "Update kerasft"
                raise ValueError(f"it is of format {version}, and {FORMAT} is the newest that is known here")
            if kind != cls.type_name:
                raise ValueError("it does not describe an image input")
            return cls(**options)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"the image input cannot be read: {error}", where=str(path), hint=hint) from error


def _are_small(values: Sequence[Raw]) -> bool:
    """Whether images are so small that threads would only wait for Python's lock, judging by the first few."""
    some = [value for value in values[:_LOOKED_AT] if isinstance(value, bytes)]
    return bool(some) and sum(map(len, some)) < _SMALL * len(some)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_size(size: Any) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, Sequence) else ()
    if len(pair) != 2 or not all(type(side) is int and 1 <= side <= LARGEST for side in pair):
        raise InputError(
            "size must be a height and a width, or one number",
            received=size,
            where="size",
            allowed=f"1 to {LARGEST} pixels",
        )
    return pair


def _check_background(background: Any) -> tuple[int, int, int]:
    colour = tuple(background) if isinstance(background, Sequence) else ()
    if len(colour) != 3 or not all(isinstance(value, int) and 0 <= value <= 255 for value in colour):
        raise InputError(
            "background must be red, green and blue", received=background, where="background", allowed="0 to 255 each"
        )
    return colour

"""Arrays as small PNG pictures inside a page: data URIs, which load nothing."""

import base64
import io

import numpy as np

MOST_SIDE = 96
"""Pictures are shrunk to this many pixels a side; the page shows them no larger."""

_MOST_FRAMES, _MOST_BINS = 192, 96
# From dark to light through blue, violet and orange: (place, red, green, blue); lightness rises all the way, so that
# it reads the same in grey.
_COLOURS = (
    (0.0, 12, 14, 38),
    (0.25, 58, 40, 122),
    (0.5, 158, 58, 120),
    (0.75, 236, 126, 72),
    (1.0, 252, 240, 196),
)


def image_uri(pixels: np.ndarray, most: int = MOST_SIDE) -> str:
    """A picture as a data URI of a PNG.

    Args:
        pixels: uint8 [H, W, 3]; also [H, W] or [H, W, 1], grey; floats count as 0 to 1.
        most: the longer side is shrunk to so many pixels, default 96; smaller pictures stay as they are.

    Example:
        >>> image_uri(np.zeros((2, 2, 3), np.uint8))[:22]
        'data:image/png;base64,'
    """
    from PIL import Image

    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        pixels = np.round(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    picture = Image.fromarray(pixels)
    if max(picture.size) > most:
        share = most / max(picture.size)
        size = tuple(max(1, round(side * share)) for side in picture.size)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return _uri(picture)


def spectrogram_uri(features: np.ndarray) -> str:
    """A sound's features as a data URI of a PNG: time to the right, the lowest bin at the bottom.

    The darkest colour stands for the 2nd percentile of the values and the lightest for the 98th.

    Args:
        features: float32 [frames, bins].

    Example:
        >>> spectrogram_uri(np.zeros((4, 3), np.float32))[:22]
        'data:image/png;base64,'
    """
    from PIL import Image

    values = np.nan_to_num(np.asarray(features, np.float32))
    values = _shrunk(_shrunk(values, _MOST_FRAMES).T, _MOST_BINS)[::-1]  # [bins, frames], the lowest bin last
    low, high = np.quantile(values, [0.02, 0.98]) if values.size else (0.0, 1.0)
    shades = np.clip((values - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(shades)).convert("P")
    places = np.linspace(0, 1, 256)
    table = np.array(_COLOURS)
    palette = [np.interp(places, table[:, 0], table[:, channel]) for channel in (1, 2, 3)]
    picture.putpalette(np.round(np.stack(palette, axis=1)).astype(np.uint8).tobytes())
    return _uri(picture)


def _shrunk(values: np.ndarray, most: int) -> np.ndarray:
    """The means of at most `most` equal stretches of the first axis."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most + 1).astype(int)
    return np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None]


def _uri(picture) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")

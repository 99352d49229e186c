"""Images that break careless preprocessing; the parity gate puts them through every path."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import ExifTags
from PIL import Image as Pillow

_ANIMATED = {"save_all": True, "duration": 100}


def hostile_images() -> list[bytes]:
    """Small images of every kind that can be read, the same at each call.

    Sizes of one pixel and long thin ones; grey, palettes with and without transparency, alpha, 1, 2, 4 and 16
    bits; all Exif orientations in either byte order; progressive and subsampled jpeg, CMYK; several frames.

    Example:
        >>> hostile_images()[0][:4]
        b'\\x89PNG'
    """
    return [*_sizes(), *_pngs(), *_jpegs(), *_others()]


def photo(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth colours with some noise: uint8 [height, width, channels].

    Args:
        height, width: in pixels.
        channels: 1 to 4.
        seed: the same seed gives the same pixels.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = rng.uniform(0.5, 6, (channels, 2)) / max(height, width)
    smooth = [np.sin(2 * np.pi * (a * y + b * x) + channel) for channel, (a, b) in enumerate(waves)]
    noise = rng.normal(0, 12, (height, width, channels))
    return np.clip(128 + 110 * np.stack(smooth, -1) + noise, 0, 255).astype(np.uint8)


def saved(image: Pillow.Image, kind: str, **options: Any) -> bytes:
    """The file of a Pillow image."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(pixels: bytes, width: int, height: int, bits: int, colours: int, chunks: dict[bytes, bytes]) -> bytes:
    """A png of packed rows, for what Pillow does not write.

    Args:
        pixels: the rows one after another, each of whole bytes.
        width, height: in pixels.
        bits: of a sample.
        colours: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
        chunks: what stands before the pixels, by name, such as PLTE.
    """
    row = len(pixels) // height
    lines = b"".join(b"\0" + pixels[at : at + row] for at in range(0, len(pixels), row))
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    parts = {b"IHDR": head, **chunks, b"IDAT": zlib.compress(lines), b"IEND": b""}
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts.items()]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _sizes() -> list[bytes]:
    sizes = ((1, 1), (1, 300), (300, 1), (2, 2), (64, 64), (63, 65), (7, 200))
    images = [Pillow.fromarray(photo(height, width, seed=width)) for height, width in sizes]
    return [saved(image, "png") for image in images] + [saved(image, "jpeg") for image in images[:3]]


def _pngs() -> list[bytes]:
    colour, alpha = Pillow.fromarray(photo(37, 53)), Pillow.fromarray(photo(37, 53, 1, seed=1)[..., 0])
    grey = colour.convert("L")
    rgba, la = colour.copy(), grey.copy()
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    palette = colour.quantize(16)
    first = colour.getpixel((3, 4))
    wide = Pillow.fromarray(photo(37, 53, 1, seed=2)[..., 0].astype(np.uint16) * 257 + 3)
    random = np.random.default_rng(3)
    packed = [
        png(random.bytes(9 * -(-53 * samples * bits // 8)), 53, 9, bits, colours, {})
        for bits, colours, samples in ((1, 0, 1), (2, 0, 1), (4, 0, 1), (16, 2, 3), (16, 4, 2), (16, 6, 4))
    ]
    clear_grey = png(random.bytes(14 * 9), 53, 9, 2, 0, {b"tRNS": b"\0\2"})
    return [
        *(saved(image, "png") for image in (grey, la, rgba, palette, colour.quantize(200), colour.convert("1"), wide)),
        saved(palette, "png", transparency=3),
        saved(palette, "png", transparency=bytes(range(0, 240, 15))),
        saved(colour, "png", transparency=first),
        saved(grey, "png", transparency=grey.getpixel((3, 4))),
        clear_grey,
        *packed,
    ]


def _jpegs() -> list[bytes]:
    colour = Pillow.fromarray(photo(45, 70))
    files = [saved(colour, "jpeg", subsampling=subsampling, quality=90) for subsampling in (0, 1, 2)]
    files += [saved(colour, "jpeg", progressive=True), saved(colour, "jpeg", keep_rgb=True)]
    files += [saved(colour.convert("L"), "jpeg"), saved(colour.convert("CMYK"), "jpeg")]
    for turn in range(10):  # 0 and 9 mean nothing
        exif = Pillow.Exif()
        exif.endian = "<>"[turn % 2]
        exif[ExifTags.Base.ImageDescription] = "orientation"
        exif[ExifTags.Base.Orientation] = turn
        files.append(saved(colour, "jpeg", exif=exif))
    return files


def _others() -> list[bytes]:
    colour, alpha = Pillow.fromarray(photo(30, 41)), Pillow.fromarray(photo(30, 41, 1, seed=1)[..., 0])
    rgba, palette, second = colour.copy(), colour.quantize(32), colour.rotate(180)
    rgba.putalpha(alpha)
    return [
        saved(colour, "webp", quality=80),
        saved(colour, "webp", lossless=True),
        saved(rgba, "webp", quality=80),
        saved(rgba, "webp", lossless=True, exact=True),
        saved(colour, "webp", append_images=[second], **_ANIMATED),
        *(saved(image, "bmp") for image in (colour, colour.convert("L"), palette, rgba, colour.convert("1"))),
        saved(palette, "gif"),
        saved(palette, "gif", interlace=True),
        saved(palette, "gif", append_images=[second.quantize(32)], **_ANIMATED),
        saved(palette, "gif", transparency=5),
    ]

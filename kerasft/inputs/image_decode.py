"""Raw bytes or a path to an upright image of 8 bits, grey or RGB, by Pillow; or the reason why not."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin
from PIL import Image as Pillow

from kerasft.inputs.image_head import kind_of, not_an_image, orientation_of

LARGEST_SIDE, LARGEST_AREA = 20_000, 64_000_000
"""Pixels; a larger image is refused before any of it is decoded."""

_PLUGINS = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
}
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
# What Pillow's readers raise for damaged files, and a warning where warnings are errors.
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, struct.error)
_DAMAGE += (MemoryError, RuntimeError, AttributeError, Warning, Pillow.DecompressionBombError)


class BadImageError(ValueError):
    """A raw value that is no image, with the reason as its text."""


def read_bytes(value: bytes | str | Path) -> bytes:
    """The bytes of a raw value.

    Args:
        value: the bytes themselves, or the path of a file.

    Raises:
        BadImageError: if there is no such file, it is empty, or the value is neither.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not isinstance(value, str | Path):
        raise BadImageError(f"an image must be bytes or a path; received {type(value).__name__}")
    try:
        data = Path(value).read_bytes()
    except FileNotFoundError:
        raise BadImageError(f"there is no image file {str(value)!r}") from None
    except (OSError, ValueError) as error:
        raise BadImageError(f"the image file {str(value)!r} cannot be read: {_short(error)}") from error
    if not data:
        raise BadImageError(f"the image file {str(value)!r} is empty (0 bytes)")
    return data


def load(value: bytes | str | Path, background: tuple[int, int, int]) -> Pillow.Image:
    """`decode` of the bytes of a raw value; the reason for a bad file names it."""
    data = read_bytes(value)
    try:
        return decode(data, background)
    except BadImageError as error:
        if isinstance(value, str | Path):
            raise BadImageError(f"{error} (file {str(value)!r})") from error
        raise


def decode(data: bytes, background: tuple[int, int, int]) -> Pillow.Image:
    """An image as its photographer meant it: first frame, upright, 8 bits, without alpha.

    Alpha is composited over the background in integers: (colour a + background (255 - a) + 127) // 255.
    Of 16 bits the high byte stays. CMYK becomes (255 - C)(255 - K) // 255.

    Args:
        data: the bytes of a jpeg, png, gif, bmp or webp.
        background: red, green and blue, 0 to 255, behind what is transparent.

    Returns:
        A Pillow image of mode "L" or "RGB".

    Raises:
        BadImageError: if it is no image, too large, damaged or cut off.
    """
    kind = kind_of(data)
    if kind is None:
        raise BadImageError(not_an_image(data) if data else "the image is empty (0 bytes)")
    try:
        if kind == "webp":  # its reader takes memory for the pixels at once
            check_size(*_webp_size(data))
        image = _PLUGINS[kind](io.BytesIO(data))
        check_size(*image.size)
        image.decodermaxblock = max(len(data), 1)  # all at once: the decoder need not stop and start over
        image.load()
        image = _plain(image, data, background)
        turn = _TURNS.get(orientation_of(data)) if kind == "jpeg" else None
        return image if turn is None else image.transpose(turn)
    except BadImageError:
        raise
    except UnidentifiedImageError:
        raise BadImageError(f"the {kind} image is damaged: its header cannot be read") from None
    except _DAMAGE as error:
        raise BadImageError(f"the {kind} image is damaged or cut off: {_short(error)}") from error


def check_size(width: int, height: int) -> None:
    """Refuses an image by its size alone.

    Raises:
        BadImageError: if a side or the area is over the limit, or there are no pixels.
    """
    if width < 1 or height < 1:
        raise BadImageError(f"the image has no pixels; received {width} x {height}")
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise BadImageError(
            f"the image is too large: {width:,} x {height:,} pixels; "
            f"at most {LARGEST_SIDE:,} a side and {LARGEST_AREA:,} in all are read"
        )


def composite(rgba: np.ndarray, background: tuple[int, int, int]) -> np.ndarray:
    """Colours over a background, uint8 [height, width, 3] of uint8 [height, width, 4]."""
    alpha = rgba[..., 3:].astype(np.uint16)
    behind = (255 - alpha) * np.array(background, np.uint16)  # [height, width, 3]
    return ((rgba[..., :3] * alpha + behind + 127) // 255).astype(np.uint8)  # at most 65,152: fits 16 bits


def _plain(image: Pillow.Image, data: bytes, background: tuple[int, int, int]) -> Pillow.Image:
    mode = image.mode
    if "transparency" in image.info and image.format == "PNG" and _unsure_transparency(data):
        del image.info["transparency"]
    if mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        if mode.startswith("I;16"):
            return _over(_grey_alpha(np.asarray(image), image.info["transparency"]), background)
        return _over(np.asarray(image.convert("RGBA")), background)
    if mode in ("RGB", "L"):
        return image
    if mode.startswith("I;16"):
        return Pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if mode == "CMYK":
        inks = np.asarray(image).astype(np.uint16)
        if "adobe" not in image.info:  # Pillow turns the inks as Adobe's files need it, whoever wrote them
            inks = 255 - inks
        return Pillow.fromarray(((255 - inks[..., :3]) * (255 - inks[..., 3:]) // 255).astype(np.uint8))
    return image.convert("L" if mode == "1" else "RGB")


def _over(rgba: np.ndarray, background: tuple[int, int, int]) -> Pillow.Image:
    if rgba[..., 3].min() == 255:
        return Pillow.fromarray(np.ascontiguousarray(rgba[..., :3]))
    return Pillow.fromarray(composite(rgba, background))


def _unsure_transparency(data: bytes) -> bool:
    """Grey of 1 to 4 bits and RGB of 16: the transparent colour has other units than the pixels."""
    return (data[25] == 0 and data[24] < 8) or (data[25] == 2 and data[24] == 16)


def _grey_alpha(grey: np.ndarray, transparent: int) -> np.ndarray:
    """uint8 [height, width, 4] of 16-bit grey, in which one value is transparent."""
    high = (grey >> 8).astype(np.uint8)
    return np.stack([high, high, high, np.where(grey == transparent, 0, 255).astype(np.uint8)], axis=-1)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height by the header of the first chunk (RFC 9649, section 2)."""
    chunk, at = data[12:16], 20
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[at + 4 : at + 7], "little"), 1 + int.from_bytes(data[at + 7 : at + 10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[at + 1 : at + 5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = data[at + 6 : at + 8], data[at + 8 : at + 10]
    return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF


def _short(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0][:120]

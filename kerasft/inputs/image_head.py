"""What the first bytes of an image say: its kind, its orientation, and whether a graph decodes it exactly."""

HEAD = 1 << 16
"""Bytes at the beginning of a JPEG in which its Exif segment is looked for."""

KINDS = ("jpeg", "png", "gif", "bmp", "webp")
"""What can be read, as the messages name it."""

_ORIENTATION = 0x0112
_OTHERS = (
    (b"II*\0", "a TIFF file"),
    (b"MM\0*", "a TIFF file"),
    (b"%PDF", "a PDF file"),
    (b"\0\0\1\0", "an icon file"),
    (b"8BPS", "a Photoshop file"),
    (b"RIFF", "a RIFF file, such as sound"),
    (b"PK\3\4", "a zip file"),
    (b"\x1f\x8b", "a gzip file"),
)


def kind_of(data: bytes) -> str | None:
    """The kind of an image by its first bytes, one of `KINDS`, or None.

    Example:
        >>> kind_of(b"GIF89a...")
        'gif'
    """
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:4] == b"GIF8":
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "bmp" if data[:2] == b"BM" else None


def not_an_image(data: bytes) -> str:
    """The reason for bytes of no kind that can be read."""
    what = next((name for start, name in _OTHERS if data.startswith(start)), None)
    if what is None and data[4:8] == b"ftyp":
        what = "an HEIC, AVIF or video file"
    if what is None:
        what = f"a file that begins with {data[:16]!r}"
    return f"this is no jpeg, png, gif, bmp or webp image but {what}"


def orientation_of(data: bytes) -> int:
    """The Exif orientation of a JPEG, 1 to 8; 1, upright, where there is none.

    It is entry 0x0112 (a single SHORT) of the first directory behind the first "Exif" marker segment, within
    the first 65,536 bytes (Exif 2.32, section 4.5.4 and 4.6.4). Other kinds of files count as upright.

    Args:
        data: the bytes of an image.

    Example:
        >>> orientation_of(b"no image")
        1
    """
    if data[:3] != b"\xff\xd8\xff":
        return 1
    head = data[:HEAD]
    at = head.find(b"Exif\0\0")
    while at >= 0 and head[at - 4 : at - 2] != b"\xff\xe1":
        at = head.find(b"Exif\0\0", at + 1)
    tiff = head[at + 6 :] if at >= 0 else b""
    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    order = "little" if tiff[:2] == b"II" else "big"
    directory = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[directory : directory + 2], order)
    wanted = _ORIENTATION.to_bytes(2, order) + (3).to_bytes(2, order) + (1).to_bytes(4, order)
    for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
        if tiff[entry : entry + 8] == wanted:
            value = int.from_bytes(tiff[entry + 8 : entry + 10], order)
            return value if 1 <= value <= 8 else 1
    return 1


def graph_decodes(data: bytes) -> bool:
    """Whether TensorFlow's operations decode these bytes to the very pixels that Pillow gives.

    They do not for a gif whose first frame is smaller than its canvas, an animated webp, a bmp that is
    compressed or of 1, 4 or 16 bits, and a 16-bit png with a transparent colour.
    """
    kind, head = kind_of(data), data[:64].ljust(64, b"\0")
    if kind == "gif":
        return _whole_gif(data)
    if kind == "bmp":
        return head[14] >= 40 and head[28] in (8, 24, 32) and head[30:34] == b"\0\0\0\0"
    if kind == "webp":
        return not (head[12:16] == b"VP8X" and head[20] & 2)
    if kind == "png":
        return not (head[24] == 16 and head[25] in (0, 2) and b"tRNS" in data)
    return kind == "jpeg"


def _whole_gif(data: bytes) -> bool:
    """Whether the first frame fills the canvas."""
    at = 13 + _table_bytes(data[10]) if len(data) > 13 else 13
    while data[at : at + 1] == b"!":
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return data[at : at + 5] == b",\0\0\0\0" and data[at + 5 : at + 9] == data[6:10]


def _table_bytes(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0

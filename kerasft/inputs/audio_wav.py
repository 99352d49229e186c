"""Wav files: their headers; and 16-bit PCM, the one sound format that needs no library, read and written."""

import struct
from dataclasses import dataclass

import numpy as np

PCM, EXTENSIBLE = 1, 0xFFFE
STREAMED = 0x7FFF0000
"""A data chunk that claims this many bytes or more was written before its length was known: it ends with the file."""

_CHUNK_HEAD = 8


@dataclass(frozen=True)
class Wav:
    """What the header of a wav file says, and where its samples are.

    Attributes:
        plain: whether the samples are 16-bit PCM.
        rate: samples a second.
        channels: samples at a time.
        frame: bytes of one sample of all channels.
        start: the first byte of the samples.
        size: bytes of whole frames that are there.
        promised: bytes that the header says are there.
    """

    plain: bool
    rate: int
    channels: int
    frame: int
    start: int
    size: int
    promised: int

    @property
    def whole(self) -> bool:
        """Whether all that the header promises is there."""
        return self.promised >= STREAMED or self.size >= self.promised - self.promised % self.frame

    @property
    def frames(self) -> int:
        """Samples of each channel."""
        return self.size // self.frame

    def samples(self, raw: bytes, limit: int | None = None) -> np.ndarray:
        """int16 [frames, channels] of 16-bit PCM, the first `limit` frames of them."""
        frames = self.frames if limit is None else min(self.frames, limit)
        values = np.frombuffer(raw, "<i2", frames * self.channels, self.start)
        return values.reshape(frames, self.channels)


def find_wav(raw: bytes) -> Wav | None:
    """Looks through the chunks of a wav file; None where it is none.

    Chunks may stand before, between and behind those that matter ("fmt " and the first "data").

    Args:
        raw: the file's bytes.
    """
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        return None
    at, form = 12, None
    while at + _CHUNK_HEAD <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, at)
        start = at + _CHUNK_HEAD
        if name == b"fmt " and size >= 16 and start + 16 <= len(raw):
            kind, channels, rate, _, frame, bits = form = struct.unpack_from("<HHIIHH", raw, start)
            if kind == EXTENSIBLE and size >= 40 and start + 26 <= len(raw):
                kind = struct.unpack_from("<H", raw, start + 24)[0]  # the first two bytes of a GUID
        elif name == b"data":
            if form is None or channels == 0:
                return None
            plain = kind == PCM and bits == 16
            frame = 2 * channels if plain else max(frame, 1)
            there = min(size, len(raw) - start)
            return Wav(plain, rate, channels, frame, start, there - there % frame, size)
        at = start + size + size % 2  # chunks begin at even bytes
    return None


def make_wav(samples: np.ndarray, rate: int, extra: bytes = b"") -> bytes:
    """A 16-bit PCM wav file.

    Args:
        samples: int16 [frames, channels] or [frames].
        rate: samples a second.
        extra: whole chunks to put before the samples.

    Example:
        >>> len(make_wav(np.zeros(8, np.int16), 8000))
        60
    """
    channels = samples.shape[1] if samples.ndim == 2 else 1
    data = np.ascontiguousarray(samples, "<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, channels, rate, 2 * channels * rate, 2 * channels, 16)
    body = b"WAVE" + form + extra + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body

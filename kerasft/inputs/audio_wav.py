"""16-bit PCM wav, the one sound format that needs no library: read, and written."""

import struct
from dataclasses import dataclass

import numpy as np

PCM, EXTENSIBLE = 1, 0xFFFE
STREAMED = 0x7FFF0000
"""A data chunk that claims this many bytes or more was written before its length was known: it ends with the file."""

_CHUNK_HEAD = 8


@dataclass(frozen=True)
class Wav:
    """Where the samples of a 16-bit PCM wav are.

    Attributes:
        rate: samples a second.
        channels: samples at a time.
        start: the first byte of the samples.
        size: bytes of whole frames that are there.
        promised: bytes that the header says are there.
    """

    rate: int
    channels: int
    start: int
    size: int
    promised: int

    @property
    def whole(self) -> bool:
        """Whether all that the header promises is there."""
        return self.promised >= STREAMED or self.size >= self.promised - self.promised % (2 * self.channels)

    @property
    def frames(self) -> int:
        """Samples of each channel."""
        return self.size // (2 * self.channels)

    def samples(self, raw: bytes, limit: int | None = None) -> np.ndarray:
        """int16 [frames, channels], the first `limit` frames of them."""
        frames = self.frames if limit is None else min(self.frames, limit)
        values = np.frombuffer(raw, "<i2", frames * self.channels, self.start)
        return values.reshape(frames, self.channels)


def find_wav(raw: bytes) -> Wav | None:
    """Looks through the chunks of a wav file; None where it is none, or none of 16-bit PCM.

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
            form = struct.unpack_from("<HHIIHH", raw, start)
            # The kind of an extensible format is in the first two bytes of its GUID.
            kind = struct.unpack_from("<H", raw, start + 24)[0] if form[0] == EXTENSIBLE and size >= 40 else form[0]
        elif name == b"data":
            if form is None or kind != PCM or form[5] != 16 or form[1] == 0:
                return None
            channels, rate = form[1], form[2]
            there = min(size, len(raw) - start)
            return Wav(rate, channels, start, there - there % (2 * channels), size)
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
    samples = np.ascontiguousarray(samples, "<i2").reshape(len(samples), -1)
    channels = samples.shape[1]
    data = samples.tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, channels, rate, 2 * channels * rate, 2 * channels, 16)
    body = b"WAVE" + form + extra + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body

"""Sound files to 16-bit samples, and short reasons for those that cannot be read."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasft.inputs.audio_wav import find_wav

if TYPE_CHECKING:
    import soundfile

RATES = (1_000, 384_000)
"""Samples a second that a file may have, least and most."""
LONGEST = 600
"""Seconds that a file may last."""
CHANNELS = 32
"""Channels a file may have; sums of squares over 10 ms of them are exact in float64."""
LARGEST = 1 << 30
"""Bytes that a file may have."""

_FORMATS = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS")
_FULL_SCALE = 8.0  # a float file that goes further was not written with 1 as full scale
_BLOCK = 1 << 16
_UNKNOWN = 1 << 48  # libsndfile says this or more where a header does not tell the length


class SoundError(ValueError):
    """A sound that cannot be used; its text is the reason, in one short sentence."""


def read_bytes(value: bytes | str | Path) -> bytes:
    """The bytes of a raw value that is not missing.

    Raises:
        SoundError: if the file cannot be read or is empty.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
    elif isinstance(value, str | Path):
        raw = _read_file(Path(value))
    else:
        raise SoundError(f"a sound is bytes or a path, and this is of type {type(value).__name__}")
    if not raw:
        raise SoundError("the sound file is empty: it has zero bytes")
    return raw


def _read_file(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size <= LARGEST:
            return path.read_bytes()
    except FileNotFoundError:
        raise SoundError(f"there is no such file: {path}") from None
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SoundError(f"the file cannot be read ({reason}): {path}") from error
    raise SoundError(f"the sound file has {size:,} bytes, and {LARGEST:,} is the most")


def decode(raw: bytes, wanted: Callable[[int], int] | None = None) -> tuple[np.ndarray, int]:
    """The samples of a sound file as 16-bit numbers.

    16-bit samples are taken as they are. Those of other formats become the nearest 16-bit number: full scale is
    32,768, what lies beyond is clipped. So all formats meet in one, that in which a served graph gets them.

    Args:
        raw: a wav, flac or ogg file.
        wanted: from the samples a second to how many from the beginning are wanted; None: all.

    Returns:
        int16 [frames, channels], and the samples a second.

    Raises:
        SoundError: if it is no sound, is damaged, is empty, or is beyond the limits of this module.
    """
    if (wav := find_wav(raw)) is not None:
        _check(wav.rate, wav.channels, wav.frames)
        if not wav.whole:
            raise _damaged(wav.frames, wav.promised // wav.frame)
    if wav is not None and wav.plain:
        return wav.samples(raw, None if wanted is None else wanted(wav.rate)), wav.rate
    with _opened(raw) as file:
        known = file.frames if file.frames < _UNKNOWN else None
        _check(file.samplerate, file.channels, known)
        most = LONGEST * file.samplerate + 1 if wanted is None else wanted(file.samplerate)
        blocks, frames = [], 0
        for block in _blocks(file):
            blocks.append(block)
            frames += len(block)
            if frames >= most:
                break
        if frames < most and known is not None and frames < known:
            raise _damaged(frames, known)
        _check(file.samplerate, file.channels, frames)
        return np.concatenate(blocks)[:most], file.samplerate


class _File(io.BytesIO):
    """A file in memory for libsndfile, whose seeks before the beginning must not raise: nobody could catch it."""

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == io.SEEK_SET:
            offset = max(offset, 0)
        return super().seek(offset, whence)


@contextmanager
def _opened(raw: bytes) -> Iterator["soundfile.SoundFile"]:
    import soundfile

    if raw[:4] not in _FORMATS:
        raise SoundError(f"this is no wav, flac or ogg file: it begins with {raw[:12]!r}")
    try:
        with soundfile.SoundFile(_File(raw)) as file:
            yield file
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        raise SoundError(f"the sound is damaged: {reason}") from error


def _blocks(file: "soundfile.SoundFile") -> Iterator[np.ndarray]:
    if file.subtype == "PCM_16":
        while len(block := file.read(_BLOCK, dtype="int16", always_2d=True)):
            yield block
        return
    while len(block := file.read(_BLOCK, dtype="float64", always_2d=True)):
        if not np.isfinite(block).all():
            place = int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise SoundError(f"the sound has samples that are not numbers: {block[place].tolist()}")
        peak = float(np.abs(block).max())
        if peak > _FULL_SCALE:
            raise SoundError(f"the samples of this sound reach {peak:,.0f}, where 1 is full scale")
        yield to_16_bit(block)


def to_16_bit(samples: np.ndarray) -> np.ndarray:
    """The nearest 16-bit numbers (halves go up) of samples whose full scale is 1."""
    return np.clip(np.floor(samples * 32768 + 0.5), -32768, 32767).astype(np.int16)


def _check(rate: int, channels: int, frames: int | None) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise SoundError(f"the sound has {rate:,} samples a second, and {RATES[0]:,} to {RATES[1]:,} are allowed")
    if channels > CHANNELS:
        raise SoundError(f"the sound has {channels} channels, and {CHANNELS} is the most")
    if frames == 0:
        raise SoundError("the sound has no samples")
    if frames is not None and frames > LONGEST * rate:
        raise SoundError(f"the sound lasts {frames / rate:,.0f} seconds, and {LONGEST} is the most")


def _damaged(there: int, promised: int) -> SoundError:
    return SoundError(f"the sound is damaged: it ends after {there:,} of its {promised:,} samples")


def is_missing(value: Any) -> bool:
    """None, "" and b"" are missing."""
    return value is None or (isinstance(value, bytes | str) and len(value) == 0)

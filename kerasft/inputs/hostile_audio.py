"""Sounds that break careless preprocessing; the parity gate puts them through every path."""

import io
import struct

import numpy as np

from kerasft.inputs.audio_decode import to_16_bit
from kerasft.inputs.audio_wav import make_wav


def hostile_sounds() -> list[bytes]:
    """Sound files, all of which `Audio` accepts: silent, tiny, clipped, of odd rates, channels and formats.

    Example:
        >>> Audio().encode(hostile_sounds()).present.all()
        np.True_
    """
    random = np.random.default_rng(0)
    noise = to_16_bit(random.normal(0, 0.1, 4000))
    return [
        *_plain(noise),
        *_rates_and_channels(random),
        *_headers(noise),
        *_formats(random.normal(0, 0.1, 4000)),
    ]


def tone(rate: int, seconds: float, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    """A sine, float64 [frames]."""
    return level * np.sin(2 * np.pi * hertz / rate * np.arange(round(rate * seconds)))


def _plain(noise: np.ndarray) -> list[bytes]:
    """16 kHz, one channel."""
    square = np.where(tone(16_000, 0.5) >= 0, 32767, -32768).astype(np.int16)
    quiet = np.zeros(12_000, np.int16)
    quiet[5000:5003] = (1, -1, 1)
    speech = np.concatenate([np.zeros(3000, np.int16), noise, np.zeros(5000, np.int16)])
    return [
        make_wav(wave, 16_000)
        for wave in (
            np.zeros(16_000, np.int16),  # silence
            quiet,  # silence but for the last bit
            np.array([12_345], np.int16),  # one sample
            noise[:37],  # shorter than a frame
            square,  # clipped at full scale
            to_16_bit(tone(16_000, 1.0, level=0.1) + 0.6),  # around another level than zero
            np.tile(noise, 20),  # 5 seconds
            speech,  # silence on both sides
            to_16_bit(tone(16_000, 1.0, 7_900)),  # just below half of the rate
        )
    ]


def _rates_and_channels(random: np.random.Generator) -> list[bytes]:
    seven = to_16_bit(random.normal(0, 0.2, (6000, 7)))
    opposite = np.stack([tone(44_100, 0.3), -tone(44_100, 0.3)], axis=1)
    return [
        make_wav(seven, 16_000),
        make_wav(seven, 48_000),
        make_wav(to_16_bit(opposite), 44_100),  # whose mean is silence
        make_wav(to_16_bit(tone(192_000, 0.4)), 192_000),
        make_wav(to_16_bit(tone(192_000, 0.2, 50_000)), 192_000),  # beyond what can be heard
        make_wav(to_16_bit(tone(8_000, 0.7)), 8_000),
        make_wav(to_16_bit(tone(11_025, 1.2)), 11_025),
        make_wav(to_16_bit(tone(22_050, 0.1)), 22_050),
        make_wav(to_16_bit(tone(9_973, 0.3)), 9_973),  # a prime number
        make_wav(to_16_bit(tone(384_000, 0.05)), 384_000),
        make_wav(to_16_bit(tone(1_000, 0.5, 100)), 1_000),
        make_wav(np.array([-20_000], np.int16), 8_000),  # one sample that becomes two
    ]


def _headers(noise: np.ndarray) -> list[bytes]:
    """16-bit PCM wav with chunks that readers stumble over."""
    plain = make_wav(noise, 8_000)
    odd = struct.pack("<4sI", b"LIST", 9) + b"INFOISFT!" + b"\0"  # padded to even
    form, data = plain[12:36], plain[36:]
    guid = b"\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    extensible = struct.pack("<4sIHHIIHHHHI", b"fmt ", 40, 0xFFFE, 1, 8_000, 16_000, 2, 16, 22, 16, 4) + guid
    return [
        make_wav(noise, 8_000, extra=odd),
        _riff(struct.pack("<4sI", b"JUNK", 28) + bytes(28) + form + odd + data + odd),
        _riff(extensible + struct.pack("<4sII", b"fact", 4, len(noise)) + data),
        _riff(form + b"data\xff\xff\xff\xff" + data[8:]),  # streamed: the length was not known
        _riff(form + struct.pack("<4sI", b"data", 2001) + data[8 : 8 + 2001] + b"\0"),  # half a sample too many
    ]


def _riff(chunks: bytes) -> bytes:
    return struct.pack("<4sI", b"RIFF", 4 + len(chunks)) + b"WAVE" + chunks


def _formats(wave: np.ndarray) -> list[bytes]:
    """What libsndfile has to read."""
    loud = np.clip(wave * 12, -1.5, 1.5)  # a float file may go beyond full scale
    stereo = np.stack([wave, -wave / 2], axis=1)
    return [
        _written(wave, 8_000, "WAV", "PCM_U8"),
        _written(wave, 22_050, "WAV", "PCM_24"),
        _written(loud, 16_000, "WAV", "FLOAT"),
        _written(stereo, 44_100, "WAV", "DOUBLE"),
        _written(wave, 8_000, "WAV", "ULAW"),
        _written(stereo, 16_000, "FLAC", "PCM_16"),
        _written(wave, 48_000, "FLAC", "PCM_24"),
        _written(wave, 16_000, "OGG", "VORBIS"),
    ]


def _written(wave: np.ndarray, rate: int, kind: str, subtype: str) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, wave, rate, format=kind, subtype=subtype)
    return file.getvalue()

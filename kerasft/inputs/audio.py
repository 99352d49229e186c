"""Audio: sound files to waves and features, the same way in training, in a served graph and in production."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash
from kerasft.inputs import audio_decode, audio_options
from kerasft.inputs.audio_decode import SoundError
from kerasft.inputs.audio_features import Features
from kerasft.inputs.audio_options import FORMAT, OPTIONS
from kerasft.inputs.audio_resample import needed_length, resample
from kerasft.inputs.audio_trim import trim_silence
from kerasft.inputs.audio_wav import find_wav, make_wav
from kerasft.inputs.audio_waves import Waves
from kerasft.inputs.stack import OnBad, refuse_bad, stack_cached

_TOGETHER = 16  # sounds that a thread reads in a row: one alone is not worth its start


class Audio:
    """Turns sound files into features. Nothing is learned from rows.

    What becomes of a sound: its samples are taken as 16-bit numbers (see `audio_decode.decode`), its channels are
    averaged, silence goes from both ends where that was chosen, it is resampled (`audio_resample`), cut at
    `seconds` or filled up with zeros on the right. That wave is what is kept; features are made of it as they are
    needed (`audio_features`).

    Args:
        sample_rate: samples a second to work at, 1,000 to 384,000.
        seconds: length of a clip, at most 600.
        features: "logmel", "mfcc" or "stft" (the logarithm of the power spectrum).
        bands: mel bands, for "logmel" and "mfcc".
        coefficients: cepstral coefficients kept, the first being the energy's; for "mfcc".
        window: seconds of a frame.
        hop: seconds from one frame to the next.
        trim: silence at both ends that is this many decibels below the loudest 10 ms is cut; None: nothing is.
        normalise: scale the features of each clip to mean 0 and standard deviation 1 (over all for "logmel" and
            "stft", each coefficient over time for "mfcc"), which takes the recording's level out.

    Raises:
        InputError: if an option is out of range, or two do not go together.

    Example:
        >>> audio = Audio(sample_rate=8000, seconds=0.5)
        >>> audio.shape
        (48, 40)
        >>> audio.encode([make_wav(np.zeros(4000, np.int16), 8000), None]).present
        array([ True, False])
    """

    type_name = "audio"
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        *,
        sample_rate: int = 16_000,
        seconds: float = 1.0,
        features: str = "logmel",
        bands: int = 40,
        coefficients: int = 13,
        window: float = 0.025,
        hop: float = 0.010,
        trim: float | None = None,
        normalise: bool = True,
    ):
        self.sample_rate, self.seconds, self.features, self.bands = sample_rate, seconds, features, bands
        self.coefficients, self.window, self.hop, self.trim = coefficients, window, hop, trim
        self.normalise = normalise
        audio_options.check_alone(self)
        self.samples = round(seconds * sample_rate)
        self.definition = Features(
            features,
            sample_rate,
            self.samples,
            round(window * sample_rate),
            round(hop * sample_rate),
            bands,
            coefficients,
            normalise,
        )
        audio_options.check_together(self)

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, bins) of the features of a clip."""
        return self.definition.frames, self.definition.bins

    def missing(self, value: Any) -> bool:
        """Whether a raw value stands for no sound: None, "" or b""."""
        return audio_decode.is_missing(value)

    def encode(self, values: Sequence[bytes | str | Path | None], on_bad: OnBad = "refuse") -> Waves:
        """Reads sounds.

        Args:
            values: files' bytes or paths; None, "" and b"" are missing.
            on_bad: "refuse" raises an error for the first sound that cannot be read; "missing" counts such ones as
                missing and keeps their reasons.

        Returns:
            `Waves`, a row a value.

        Raises:
            InputError: for a bad sound, where `on_bad` is "refuse"; if `values` is one sound.
        """
        if isinstance(values, bytes | str | Path):
            raise InputError("sounds come in a list, and this is one", received=values, hint="Put it into a list")
        waves, present, bad = self._encode_rows(values)
        if on_bad == "refuse":
            refuse_bad(bad, values)
        return Waves(waves, present, self.definition, bad)

    def encode_cached(
        self,
        column: Sequence[bytes | str | Path | None],
        cache: str | Path,
        on_bad: OnBad = "refuse",
        progress: Callable[[int], None] | None = None,
    ) -> Waves:
        """Reads a column once and keeps its waves under their content's hash; memory use is constant.

        The options of features do not count for the hash: other features are made of the same kept waves.

        Args:
            column: raw values; one with `batches(n)` is streamed by that.
            cache: the folder of cached columns.
            on_bad: as in `encode`.
            progress: called with the number of rows done so far.

        Returns:
            `Waves`, memory-mapped.
        """
        key = content_hash("waves", repr((FORMAT, self.sample_rate, self.samples, self.trim)))
        stack = stack_cached(self._encode_rows, column, key, Path(cache), (self.samples,), np.float32, on_bad, progress)
        return Waves(stack.values, stack.present, self.definition, stack.bad)

    def _encode_rows(self, values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
        waves, present, bad = np.zeros((len(values), self.samples), np.float32), np.zeros(len(values), bool), {}

        def read(start: int) -> None:
            for row in range(start, min(start + _TOGETHER, len(values))):
                if self.missing(values[row]):
                    continue
                try:
                    wave = self.wave(values[row])
                except SoundError as error:
                    bad[row] = str(error)
                else:
                    waves[row, : len(wave)], present[row] = wave, True

        starts = range(0, len(values), _TOGETHER)
        if len(starts) < 2:
            for start in starts:
                read(start)
        else:
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                list(threads.map(read, starts))
        return waves, present, dict(sorted(bad.items()))

    def wave(self, value: bytes | str | Path) -> np.ndarray:
        """The wave of one sound, float64 [at most `samples`], full scale 1.

        Raises:
            SoundError: if it cannot be read; the reason is the error's text.
        """
        raw = audio_decode.read_bytes(value)
        samples, rate = audio_decode.decode(raw, None if self.trim is not None else self._seconds_needed)
        total = samples.sum(axis=1, dtype=np.int64)
        if self.trim is not None:
            total = trim_silence(total, rate, self.trim)
        total = total[: needed_length(self.samples, rate, self.sample_rate)]
        return resample(total / (32768.0 * samples.shape[1]), rate, self.sample_rate, self.samples)

    def _seconds_needed(self, rate: int) -> int:
        return needed_length(self.samples, rate, self.sample_rate)

    def servable(self, value: bytes | str | Path | None) -> bytes:
        """A sound as the SavedModel takes it: 16-bit PCM wav as it is, all else made such a one.

        Raises:
            InputError: if the sound cannot be read.
        """
        if self.missing(value):
            return b""
        try:
            raw = audio_decode.read_bytes(value)
            samples, rate = audio_decode.decode(raw)
        except SoundError as error:
            raise InputError(str(error)) from error
        wav = find_wav(raw)
        return raw if wav is not None and wav.plain else make_wav(samples, rate)

    def spec(self) -> dict[str, Any]:
        """The options, JSON-able."""
        return {"type": self.type_name, **{name: getattr(self, name) for name in OPTIONS}}

    def digest(self) -> str:
        """SHA-256 over all that decides what becomes of a sound."""
        return content_hash(repr(FORMAT), json.dumps(self.spec(), sort_keys=True))

    def save(self, folder: str | Path) -> None:
        """Writes audio.json into a folder, atomically."""
        audio_options.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> "Audio":
        """Reads what `save` wrote.

        Raises:
            InputError: if the file is missing or broken, or was written by a newer version.
        """
        return audio_options.load(cls, Path(folder))

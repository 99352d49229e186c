"""The options of an `Audio`: what is allowed, and their file."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.base.files import read_json, write_json
from kerasft.inputs.audio_decode import LONGEST, RATES
from kerasft.inputs.audio_features import FEATURES

if TYPE_CHECKING:
    from kerasft.inputs.audio import Audio

FORMAT = 1
"""Raised when an older kerasft can no longer read what a newer one writes."""
OPTIONS = ("sample_rate", "seconds", "features", "bands", "coefficients", "window", "hop", "trim", "normalise")


def check_alone(audio: "Audio") -> None:
    """Refuses an option that is out of its range."""
    if audio.features not in FEATURES:
        raise InputError(
            "these features are not known",
            received=audio.features,
            where="features",
            allowed=FEATURES,
            hint=did_you_mean(str(audio.features), FEATURES),
        )
    _check_number("sample_rate", audio.sample_rate, *RATES, "samples a second", whole=True)
    _check_number("seconds", audio.seconds, 1e-3, LONGEST, "seconds")
    _check_number("bands", audio.bands, 1, 1024, "bands", whole=True)
    _check_number("coefficients", audio.coefficients, 1, 1024, "coefficients", whole=True)
    _check_number("window", audio.window, 1e-4, LONGEST, "seconds")
    _check_number("hop", audio.hop, 1e-4, LONGEST, "seconds")
    if audio.trim is not None:
        _check_number("trim", audio.trim, 1, 200, "decibels, or None")
    if not isinstance(audio.normalise, bool):
        raise InputError("normalise is True or False", received=audio.normalise, where="normalise")


def _check_number(name: str, value: Any, least: float, most: float, unit: str, whole: bool = False) -> None:
    kind = int if whole else (int | float)
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value) or not least <= value <= most:
        number = "a whole number" if whole else "a number"
        raise InputError(
            f"{name} must be {number} within its limits",
            received=value,
            where=name,
            allowed=f"{least:,g} to {most:,} {unit}",
        )


def check_together(audio: "Audio") -> None:
    """Refuses options that do not go together."""
    definition = audio.definition
    if definition.window < 2 or definition.hop < 1:
        raise InputError(
            "the frames are too short for this sample rate",
            received=f"window {audio.window} s, hop {audio.hop} s at {audio.sample_rate:,} samples a second",
            allowed="a window of at least 2 samples and a hop of at least 1",
        )
    if definition.samples < definition.window:
        raise InputError(
            "a clip must be at least as long as a frame",
            received=f"seconds {audio.seconds}, window {audio.window}",
            hint="Raise seconds or lower window",
        )
    if audio.features == "stft":
        return
    if audio.features == "mfcc" and audio.coefficients > audio.bands:
        raise InputError(
            "there cannot be more coefficients than bands",
            received=f"coefficients {audio.coefficients}, bands {audio.bands}",
        )
    if (empty := int((definition.mel.sum(axis=0) == 0).sum())) > 0:
        raise InputError(
            f"{empty} of the bands are so narrow that no frequency of the spectrum lies in them",
            received=f"bands {audio.bands}, {definition.fft_size // 2 + 1} frequencies",
            hint="Lower bands, or raise window",
        )


def save(audio: "Audio", folder: Path) -> None:
    """Writes audio.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "audio.json", {"format": FORMAT, **audio.spec(), "digest": audio.digest()})


def load(cls: type["Audio"], folder: Path) -> "Audio":
    """Reads audio.json, and checks that nothing in it was changed."""
    path = folder / "audio.json"
    header = _read(path)
    version = header.get("format")
    if not isinstance(version, int) or header.get("type") != "audio":
        raise _broken(path, "it does not describe an audio input")
    if version > FORMAT:
        raise InputError(
            "this audio input was written by a newer version of kerasft",
            received=f"format {version}",
            where=str(path),
            allowed=f"format {FORMAT} and older",
            hint="Update kerasft",
        )
    try:
        audio = cls(**{name: header[name] for name in OPTIONS})
    except KeyError as error:
        raise _broken(path, f"it lacks {error}") from error
    if audio.digest() != header.get("digest"):
        raise _broken(path, "its digest differs")
    return audio


def _read(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except FileNotFoundError:
        raise InputError("the file of the audio input is missing", where=str(path)) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(value, dict):
        raise _broken(path, "it holds no JSON object")
    return value


def _broken(path: Path, why: str) -> InputError:
    return InputError(f"the audio input cannot be read: {why}", where=str(path), hint="Save or copy it again")

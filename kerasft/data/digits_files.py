"""The files of MNIST (idx, gzipped) and of the Free Spoken Digit Dataset (wav), as they are published."""

import gzip
import io
import re
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.data.media_files import MediaFiles, open_files
from kerasft.data.sources.base import file_key

_MNIST = {"train": "train", "test": "t10k"}
_FSDD_ARCHIVES = ("fsdd_recordings.tar.xz", "fsdd_recordings.tar.gz", "fsdd_recordings.zip")
_RECORDING = re.compile(r"(?:.*/)?([0-9])_([^_/]+)_([0-9]+)\.wav")


@dataclass(frozen=True)
class Recording:
    """One spoken digit.

    Args:
        name: the file's name among the recordings.
        digit: 0 to 9.
        speaker: who speaks.
        take: counts this speaker's recordings of the digit from 0.
    """

    name: str
    digit: int
    speaker: str
    take: int


def mnist_paths(folder: Path) -> dict[str, Path]:
    """The four files of MNIST by "train images", "train labels", "test images" and "test labels".

    Raises:
        InputError: if one is missing.
    """
    paths = {}
    for split, prefix in _MNIST.items():
        for what, kind in (("images", "images-idx3"), ("labels", "labels-idx1")):
            path = folder / f"{prefix}-{kind}-ubyte.gz"
            if not path.is_file():
                there = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
                raise InputError(
                    "a file of MNIST is missing",
                    received=str(path),
                    where=f"it holds {', '.join(there[:8]) or 'nothing'}"
                    if folder.is_dir()
                    else "there is no such folder",
                    allowed="train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the two of t10k",
                )
            paths[f"{split} {what}"] = path
    return paths


def read_mnist(paths: dict[str, Path], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split.

    Args:
        paths: as `mnist_paths` gives them.
        split: "train" or "test".

    Returns:
        uint8 [images, 28, 28] and uint8 [images].

    Raises:
        InputError: if a file is damaged, or they differ in length.
    """
    images, labels = read_idx(paths[f"{split} images"], 3), read_idx(paths[f"{split} labels"], 1)
    if len(images) != len(labels):
        raise InputError(
            "MNIST has another number of labels than of images",
            received=f"{len(labels):,} labels, {len(images):,} images",
            where=str(paths[f"{split} labels"]),
        )
    return images, labels


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """A gzipped idx file of bytes.

    Args:
        path: the file.
        dimensions: how many it must have.

    Raises:
        InputError: if it is no such file, or is cut short.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("a gzipped file is damaged", received=str(error), where=str(path)) from None
    head = 4 + 4 * dimensions
    if data[:3] != b"\x00\x00\x08" or data[3:4] != bytes([dimensions]) or len(data) < head:
        raise InputError(f"this is no idx file of bytes in {dimensions} dimensions", received=data[:4], where=str(path))
    shape = np.frombuffer(data[4:head], ">u4").astype(int)
    if len(data) - head != shape.prod():
        raise InputError(
            "an idx file has another length than its head says",
            received=f"{len(data) - head:,} bytes",
            where=str(path),
            allowed=f"{int(shape.prod()):,} bytes, {' x '.join(map(str, shape))}",
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def open_recordings(place: Path, cache: Path) -> tuple[MediaFiles, list[Recording], str]:
    """The recordings of the Free Spoken Digit Dataset.

    Args:
        place: a folder with fsdd_recordings.tar.xz in it or wav files below it, or an archive.
        cache: the folder for what has to be unpacked.

    Returns:
        The files, what their names say, in the order of the names, and a key that changes with them.

    Raises:
        InputError: if there are none.
    """
    archive = next((place / name for name in _FSDD_ARCHIVES if (place / name).is_file()), place)
    files = open_files(archive, cache)
    recordings = []
    for name in files.names():
        found = _RECORDING.fullmatch(name)
        if found is not None:
            recordings.append(Recording(name, int(found[1]), found[2], int(found[3])))
    if not recordings:
        raise InputError(
            "there are no spoken digits",
            received=str(place),
            allowed=f"{_FSDD_ARCHIVES[0]}, or files named DIGIT_SPEAKER_TAKE.wav",
        )
    states = [files.find(recording.name) for recording in recordings] if files.key is None else file_key(archive)
    return files, recordings, repr((str(archive.resolve()), states))


def read_recording(files: MediaFiles, recording: Recording) -> tuple[bytes, np.ndarray, int]:
    """A recording's bytes, int16 [samples], and samples a second.

    Raises:
        InputError: if it is no mono wav file of 16 bits.
    """
    data = files.read(recording.name)
    where = f"{files.place}, {recording.name}"
    try:
        with wave.open(io.BytesIO(data)) as sound:
            form = sound.getnchannels(), sound.getsampwidth()
            samples, rate = np.frombuffer(sound.readframes(sound.getnframes()), "<i2"), sound.getframerate()
    except (wave.Error, EOFError, ValueError) as error:
        raise InputError("a recording is no wav file", received=str(error), where=where) from None
    if form != (1, 2):
        received = f"{form[0]} channels of {8 * form[1]} bits"
        raise InputError("a recording is not mono with 16 bits", received=received, where=where)
    return data, samples, rate

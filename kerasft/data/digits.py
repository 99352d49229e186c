"""Spoken digits with pictures: the Free Spoken Digit Dataset paired with MNIST, image + audio of one digit.

Takes 0 to 4 of each speaker and digit are the test split, as that data set's rule has it, and MNIST's test images
go with them. A tenth of the other takes is the validation split, with a tenth of MNIST's train images that no train
row has. Nothing that is heard or seen in one split is in another.

Figures on rows that are degraded hold for these rows only and say how inputs help each other; on clean rows either
input alone is nearly enough.
"""

import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash
from kerasft.data.digits_files import Recording, mnist_paths, open_recordings, read_mnist, read_recording
from kerasft.data.load import assemble
from kerasft.data.media_files import MediaFiles
from kerasft.data.rows import Rows
from kerasft.data.sample_multimodal import wav_bytes
from kerasft.data.sources.base import Part, Source, file_key
from kerasft.data.wanted import Wanted

TEST_TAKES = 5
_SPLITS = ("train", "validation", "test")
_HELD_OUT = 10  # one of so many takes and train images is for validation
_BATCH_ROWS = 256
_SIDE = 28
_SCHEMA = pa.schema(
    {
        "image": pa.binary(),
        "audio": pa.binary(),
        "digit": pa.string(),
        "speaker": pa.string(),
        "take": pa.int64(),
        "mnist": pa.int64(),
    }
)


@dataclass(frozen=True)
class Degradation:
    """How much rows lose; the default nothing.

    Args:
        image_noise: standard deviation of what is added to each pixel, as a share of white. Default 0.
        image_side: pixels a side that the image is averaged down to (and shown at 28 again), or None. Default None.
        audio_noise: signal-to-noise ratio of the white noise that is added, in dB (0: as loud as the voice), or None
            for none. Default None.
    """

    image_noise: float = 0.0
    image_side: int | None = None
    audio_noise: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.image_noise <= 10:
            raise InputError("image_noise must lie between 0 and 10", received=self.image_noise)
        if self.image_side is not None and not 1 <= self.image_side <= _SIDE:
            raise InputError(f"image_side must lie between 1 and {_SIDE}", received=self.image_side)
        if self.audio_noise is not None and not -60 <= self.audio_noise <= 100:
            raise InputError("audio_noise must lie between -60 and 100 dB", received=self.audio_noise)

    def image(self, pixels: np.ndarray, source: np.random.RandomState) -> bytes:
        """png of uint8 [28, 28], degraded."""
        picture = Image.fromarray(pixels)
        if self.image_side is not None:
            small = picture.resize((self.image_side, self.image_side), Image.Resampling.BOX)
            picture = small.resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        if self.image_noise:
            noisy = np.asarray(picture, np.float64) + source.normal(0, 255 * self.image_noise, pixels.shape)
            picture = Image.fromarray(np.clip(np.round(noisy), 0, 255).astype(np.uint8))
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=0)  # compressed bytes would differ between machines
        return file.getvalue()

    def audio(self, data: bytes, samples: np.ndarray, rate: int, source: np.random.RandomState) -> bytes:
        """wav of int16 [samples], degraded; `data` itself where nothing is added."""
        if self.audio_noise is None:
            return data
        loudness = np.sqrt(np.mean(np.square(samples.astype(np.float64)))) if len(samples) else 0.0
        noise = source.normal(0, 1, len(samples)) * loudness * 10 ** (-self.audio_noise / 20)
        noisy = samples + noise
        peak = np.abs(noisy).max(initial=1)
        # Made quieter rather than clipped, which would change the ratio.
        return wav_bytes(np.round(noisy * min(1, 32767 / peak)).astype(np.int16), rate)


def spoken_digits(
    mnist: str | Path,
    fsdd: str | Path,
    *,
    cache: str | Path,
    seed: int = 0,
    image_noise: float = 0.0,
    image_side: int | None = None,
    audio_noise: float | None = None,
    pairings: int = 1,
    pairs_a_test_take: int = 4,
) -> Rows:
    """Rows of an image and a sound of the same digit; target "digit".

    Args:
        mnist: the folder of MNIST's four gzipped idx files.
        fsdd: the folder of fsdd_recordings.tar.xz or of wav files, or an archive.
        cache: folder for the converted, memory-mapped files.
        seed: for the validation takes, the pairs and the noise. Default 0.
        image_noise: see `Degradation`. Default 0: clean.
        image_side: see `Degradation`. Default None: all 28 pixels.
        audio_noise: see `Degradation`. Default None: clean.
        pairings: images that each train recording is paired with, a row each. Default 1.
        pairs_a_test_take: the same for validation and test recordings, each with noise of its own. Default 4.

    Returns:
        The rows: image (png), audio (wav), digit, speaker, take, and mnist (the image's place in its file).

    Raises:
        InputError: if files are missing or damaged, or an option is out of range.

    Example:
        rows = spoken_digits("data/mnist", "data/fsdd", cache="cache", image_noise=0.6, audio_noise=0.0)
        rows.train["image"][0], rows.train["digit"][0]
    """
    for name, value in (("pairings", pairings), ("pairs_a_test_take", pairs_a_test_take)):
        if value < 1:
            raise InputError(f"{name} must be at least 1", received=value)
    cache = Path(cache)
    options = Degradation(image_noise, image_side, audio_noise)
    paths = mnist_paths(Path(mnist).expanduser())
    files, recordings, key = open_recordings(Path(fsdd).expanduser(), cache)
    takes = _takes(recordings, seed, str(fsdd))
    program = content_hash(Path(__file__))
    files_key = content_hash(program, key, *(repr(file_key(path)) for path in paths.values()))
    parts = []
    for split in _SPLITS:
        pairs = pairings if split == "train" else pairs_a_test_take

        def read(split: str = split, pairs: int = pairs) -> Iterator[pa.RecordBatch]:
            rows = [(recording, pair) for recording in takes[split] for pair in range(pairs)]
            images, labels = read_mnist(paths, "test" if split == "test" else "train")
            chosen = _choose(rows, labels, split, seed, str(paths["train labels"]))
            source = np.random.RandomState([seed, 1, _SPLITS.index(split)])
            for start in range(0, len(rows), _BATCH_ROWS):
                some = list(zip(rows[start : start + _BATCH_ROWS], chosen[start : start + _BATCH_ROWS], strict=True))
                made = [_row(files, recording, images, int(image), options, source) for (recording, _), image in some]
                yield pa.RecordBatch.from_pylist(made, _SCHEMA)

        part_key = ("spoken digits", files_key, split, seed, pairs, repr(astuple(options)))
        parts.append(Part(split, f"spoken digits {split}", part_key, _SCHEMA.names, read))
    source = Source(f"spoken digits of {mnist} and {fsdd}", parts)
    return assemble(source, Wanted(inputs=("image", "audio"), targets=("digit",)), cache, seed=seed)


def _takes(recordings: list[Recording], seed: int, place: str) -> dict[str, list[Recording]]:
    """Recordings by split: whole takes, of all speakers and digits."""
    others = sorted({recording.take for recording in recordings if recording.take >= TEST_TAKES})
    held = max(1, round(len(others) / _HELD_OUT))
    chosen = set(np.random.RandomState([seed, 0]).permutation(others)[:held].tolist())
    splits: dict[str, list[Recording]] = {split: [] for split in _SPLITS}
    for recording in recordings:
        split = "test" if recording.take < TEST_TAKES else "validation" if recording.take in chosen else "train"
        splits[split].append(recording)
    for split, found in splits.items():
        if not found:
            raise InputError(
                f"there are no {split} takes of spoken digits",
                received=f"takes {sorted({recording.take for recording in recordings})}",
                where=place,
                allowed=f"takes 0 to {TEST_TAKES - 1} for test and two or more others",
            )
    return splits


def _choose(rows: list[tuple[Recording, int]], labels: np.ndarray, split: str, seed: int, where: str) -> np.ndarray:
    """int64 [rows]: an image of the right digit for each row; none twice before all were used."""
    chosen = np.zeros(len(rows), np.int64)
    digits = np.array([recording.digit for recording, _ in rows])
    for digit in np.unique(digits):
        # The same order for train and validation, which take their shares from its two ends.
        order = np.random.RandomState([seed, 2, int(digit)]).permutation(np.flatnonzero(labels == digit))
        held = max(1, len(order) // _HELD_OUT)
        pool = {"train": order[held:], "validation": order[:held], "test": order}[split]
        if not len(pool):
            raise InputError(f"MNIST has too few images of {digit}", received=len(order), where=where)
        places = np.flatnonzero(digits == digit)
        chosen[places] = np.resize(pool, len(places))
    return chosen


def _row(
    files: MediaFiles,
    recording: Recording,
    images: np.ndarray,
    image: int,
    options: Degradation,
    source: np.random.RandomState,
) -> dict[str, object]:
    data, samples, rate = read_recording(files, recording)
    return {
        "image": options.image(images[image], source),
        "audio": options.audio(data, samples, rate, source),
        "digit": str(recording.digit),
        "speaker": recording.speaker,
        "take": recording.take,
        "mnist": image,
    }

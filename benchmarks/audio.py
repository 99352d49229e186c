"""Spoken digits a second from wav files in memory to log-mel features, beside librosa and tf.data with tf.signal.

    KERASFT_DATA=/path/to/data OPENBLAS_NUM_THREADS=1 python -m benchmarks.audio [--clips 600] [--repeat 5]

Reads fsdd (8 kHz wav) from KERASFT_DATA. Two jobs: features at 8 kHz, and features after resampling to 16 kHz
(tf.signal cannot resample, so it is in the first alone). All run in this one process, in turns; least, median and
most of the turns are told. With OPENBLAS_NUM_THREADS=1 librosa's matrix products do not wait for a second thread,
which costs it much on a busy machine.
"""

import argparse
import io
import os
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasft.inputs import Audio
from kerasft.training.augment.audio import AudioAugmenter

BATCH = 32
Work = Callable[[list[bytes]], object]


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    if "KERASFT_DATA" not in os.environ:
        sys.exit("Set KERASFT_DATA to the folder of data sets; see the docstring.")
    clips = read_clips(Path(os.environ["KERASFT_DATA"]) / "fsdd/fsdd_recordings.tar.xz", arguments.clips)
    contenders = {
        **{f"{name}, 8 kHz": work for name, work in ours(Audio(sample_rate=8_000)).items()},
        "librosa, 8 kHz": with_librosa(8_000),
        "tf.data + tf.signal, 8 kHz": with_tf_signal(8_000),
        **{f"{name}, to 16 kHz": work for name, work in ours(Audio(sample_rate=16_000)).items()},
        "librosa, to 16 kHz": with_librosa(16_000),
        **parts(Audio(sample_rate=16_000), clips),
    }
    print(f"{len(clips)} clips, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; clips a second\n")
    for work in contenders.values():
        work(clips[: 2 * BATCH])  # what is loaded, traced or compiled once
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.repeat):
        for name, work in contenders.items():
            start = time.perf_counter()
            work(clips)
            seconds[name].append(time.perf_counter() - start)
    print(f"{'':44}{'least':>10}{'median':>10}{'most':>10}")
    for name, times in seconds.items():
        rates = len(clips) / np.array(times)
        print(f"{name:44}{rates.min():10.0f}{np.median(rates):10.0f}{rates.max():10.0f}")
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


def read_clips(path: Path, count: int) -> list[bytes]:
    """Files spread over the digits and speakers."""
    with tarfile.open(path) as archive:
        clips = [archive.extractfile(member).read() for member in archive if member.isfile()]  # type: ignore[union-attr]
    return clips[:: max(1, len(clips) // count)][:count]


def ours(audio: Audio) -> dict[str, Work]:
    """`Audio` in batches, one by one, and as the graph of a SavedModel."""
    import tensorflow as tf

    from kerasft.export.audio_graph import AudioGraph

    graph = AudioGraph(audio)
    served = tf.function(lambda raw: graph({"audio": raw}), input_signature=[tf.TensorSpec([None], tf.string)])

    def batches(clips: list[bytes]) -> None:
        rows = audio.encode(clips)
        for start in range(0, len(clips), BATCH):
            rows[start : start + BATCH]

    def singles(clips: list[bytes]) -> None:
        for clip in clips:
            audio.encode([clip])[0]

    def in_graph(clips: list[bytes]) -> None:
        for start in range(0, len(clips), BATCH):
            served(tf.constant(clips[start : start + BATCH]))

    return {"kerasft Audio": batches, "kerasft Audio, one by one": singles, "kerasft AudioGraph": in_graph}


def parts(audio: Audio, clips: list[bytes]) -> dict[str, Work]:
    """What training does once, and what it does in every epoch."""
    rows, augmenter = audio.encode(clips), AudioAugmenter()

    def features(_: list[bytes]) -> None:
        for start in range(0, len(clips), BATCH):
            rows[start : start + BATCH]

    def augmented(_: list[bytes]) -> None:
        for start in range(0, len(clips), BATCH):
            augmenter(rows, np.arange(start, min(start + BATCH, len(clips))), np.random.default_rng(start))

    return {
        "  of that decoding and resampling": audio.encode,
        "  of that features of kept waves": features,
        "  features of kept waves, augmented": augmented,
    }


def with_librosa(rate: int) -> Work:
    """librosa's own loading, resampling (soxr_hq) and mel spectrogram."""
    import librosa

    def work(clips: list[bytes]) -> None:
        for clip in clips:
            wave, _ = librosa.load(io.BytesIO(clip), sr=rate)
            wave = librosa.util.fix_length(wave, size=rate)
            mel = librosa.feature.melspectrogram(
                y=wave, sr=rate, n_fft=512 * rate // 16_000, hop_length=rate // 100, n_mels=40, center=False
            )
            np.log(mel + 1e-7)

    return work


def with_tf_signal(rate: int) -> Work:
    """`tf.audio` and `tf.signal` mapped over a `tf.data` pipeline, as tutorials have it."""
    import tensorflow as tf

    mel = tf.signal.linear_to_mel_weight_matrix(40, 129, rate, 0.0, rate / 2)

    def features(clip: "tf.Tensor") -> "tf.Tensor":
        wave, _ = tf.audio.decode_wav(clip, desired_channels=1, desired_samples=rate)
        spectrum = tf.abs(tf.signal.stft(wave[:, 0], rate // 40, rate // 100, 256))
        return tf.math.log(tf.square(spectrum) @ mel + 1e-7)

    def work(clips: list[bytes]) -> None:
        rows = tf.data.Dataset.from_tensor_slices(tf.constant(clips))
        rows = rows.map(features, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
        for _ in rows:
            pass

    return work


if __name__ == "__main__":
    main()

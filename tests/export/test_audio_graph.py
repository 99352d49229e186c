import os
import subprocess
import sys
import tarfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.export.audio_graph import AudioGraph
from kerasft.export.audio_graph_features import wave_features
from kerasft.export.audio_graph_resample import resample as resample_graph
from kerasft.export.audio_graph_wav import read_wav
from kerasft.inputs import Audio
from kerasft.inputs.audio_decode import decode, to_16_bit
from kerasft.inputs.audio_features import Features
from kerasft.inputs.audio_resample import resample
from kerasft.inputs.audio_wav import make_wav
from kerasft.inputs.hostile_audio import hostile_sounds, tone

OPTIONS = [
    {},
    {"features": "mfcc", "trim": 30, "sample_rate": 8_000},
    {"features": "stft", "normalise": False, "seconds": 0.5},
    {"features": "logmel", "normalise": False, "sample_rate": 22_050, "seconds": 0.2, "bands": 20, "trim": 60.0},
]
CLIP = make_wav(to_16_bit(tone(8_000, 0.4)), 8_000)


def served(audio):
    graph = AudioGraph(audio)
    (spec,) = graph.raw_specs("audio").values()
    return tf.function(lambda files: graph({"audio_bytes": files}), input_signature=[spec])


def tell(capsys, text):
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


@pytest.mark.parametrize("options", OPTIONS)
def test_hostile_sounds_are_as_the_audio_input_gives_them(options, capsys):
    audio, sounds = Audio(**options), [None, *hostile_sounds(), None]
    rows = audio.encode(sounds)
    expected = rows[np.arange(len(sounds))]
    features, present = served(audio)(tf.constant([audio.servable(sound) for sound in sounds]))
    assert features.dtype == present.dtype == tf.float32
    assert present.numpy().tolist() == rows.present.tolist()
    assert not features.numpy()[[0, -1]].any()
    worst = np.abs(features.numpy() - expected).max(axis=(1, 2))
    tell(capsys, f"worst difference of the graph on hostile sounds, {options}: {worst.max():.2g}")
    assert worst.max() <= 1e-5


@pytest.mark.skipif("KERASFT_DATA" not in os.environ, reason="KERASFT_DATA names no folder of data sets")
def test_spoken_digits_are_as_the_audio_input_gives_them(capsys):
    clips = []
    with tarfile.open(Path(os.environ["KERASFT_DATA"]) / "fsdd/fsdd_recordings.tar.xz") as archive:
        for member in archive:
            if member.isfile():
                clips.append(archive.extractfile(member).read())
            if len(clips) == 200:
                break
    for options in OPTIONS[:2]:
        audio = Audio(**options)
        features, _ = served(audio)(tf.constant(clips))
        worst = np.abs(features.numpy() - audio.encode(clips)[np.arange(len(clips))]).max()
        tell(capsys, f"worst difference of the graph on {len(clips)} spoken digits, {options}: {worst:.2g}")
        assert worst <= 1e-5


@pytest.fixture(scope="module")
def small():
    """An audio input, and its graph in a function that is traced once."""
    audio = Audio(sample_rate=4_000, seconds=0.1, bands=10, trim=20)
    return audio, served(audio)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1_000, 12_000) | st.sampled_from([4_000, 44_100, 192_000]),
            st.integers(1, 3_000),
            st.integers(1, 8),
            st.integers(0, 5),
        ),
        max_size=4,
    )
)
def test_any_rate_length_and_number_of_channels(small, clips):
    audio, graph = small
    files = []
    for rate, frames, channels, loud in clips:
        samples = np.random.default_rng(frames).normal(0, 10.0**loud, (frames, channels))
        samples[: frames // 3] /= 100
        files.append(make_wav(np.clip(samples, -32768, 32767).astype(np.int16), rate))
    features, present = graph(tf.constant(files, tf.string, shape=[len(files)]))
    expected = audio.encode(files)[np.arange(len(files))]
    assert features.shape == expected.shape == (len(files), *audio.shape)
    assert present.numpy().all()
    np.testing.assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize(("rate", "new_rate"), [(8_000, 16_000), (11_025, 16_000), (44_101, 16_000), (192_000, 8_000)])
def test_resampling_is_the_same(rate, new_rate):
    wave = np.random.default_rng(rate).normal(0, 0.3, 5_000)
    ours = resample_graph(tf.constant(wave), tf.constant(rate, tf.int64), new_rate, 3_000)
    np.testing.assert_allclose(ours, resample(wave, rate, new_rate, 3_000), atol=1e-12)


@pytest.mark.parametrize("kind", ["logmel", "mfcc", "stft"])
def test_features_are_the_same(kind):
    waves = np.random.default_rng(0).normal(0, 0.1, (5, 4_000)).astype(np.float32)
    waves[1], waves[2] = 0, waves[2] * 1e-4
    features = Features(kind, 8_000, 4_000, 200, 80)
    np.testing.assert_allclose(wave_features(tf.cast(waves, tf.float64), features), features(waves), atol=1e-6)


def test_features_can_stand_in_a_keras_model():
    features = Features("mfcc", 8_000, 4_000, 200, 80)
    given = keras.Input([4_000], dtype="float32")
    model = keras.Model(given, wave_features(given, features))
    waves = np.random.default_rng(0).normal(0, 0.1, (3, 4_000)).astype(np.float32)
    assert model.output_shape == (None, 48, 13)
    np.testing.assert_allclose(model(waves), features(waves), atol=1e-3)


def test_samples_are_scaled_as_tensorflow_does_it():
    samples = np.random.default_rng(0).integers(-32768, 32768, (300, 2), dtype=np.int16)
    file = make_wav(samples, 8_000)
    theirs, rate = tf.audio.decode_wav(file)
    ours, our_rate = read_wav(tf.constant(file))
    assert int(rate) == int(our_rate) == 8_000
    assert ours.numpy().tolist() == decode(file)[0].tolist() == samples.tolist()
    assert (theirs.numpy() == ours.numpy() / np.float32(32768)).all()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"no sound at all", "is no 16-bit PCM wav file"),
        (b"R", "is no 16-bit PCM wav file"),
        (CLIP[:40], "is no 16-bit PCM wav file"),
        (hostile_sounds()[-1], "is no 16-bit PCM wav file"),
        (hostile_sounds()[-7], "is no 16-bit PCM wav file"),
        (CLIP[:3_000], r"is damaged: bytes, and bytes promised.*2956.*6400"),
        (make_wav(np.zeros(0, np.int16), 8_000), "has no samples"),
        (make_wav(np.ones(9, np.int16), 999), r"rate is out of bounds.*999"),
        (make_wav(np.ones((9, 33), np.int16), 8_000), r"too many channels.*33"),
        (make_wav(np.zeros(601_000, np.int16), 1_000), r"too long.*601000"),
    ],
)
def test_what_cannot_be_read_fails_with_its_reason(small, file, told):
    _, graph = small
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"(?s){told}"):
        graph(tf.constant([CLIP, file]))


def test_a_saved_graph_works_in_a_process_with_tensorflow_alone(tmp_path):
    audio, sounds = Audio(features="mfcc", trim=40), hostile_sounds()
    module = AudioGraph(audio)

    def serve(speech_bytes):
        features, present = module({"speech_bytes": speech_bytes})
        return {"features": features, "present": present}

    signature = tf.function(serve, input_signature=list(module.raw_specs("speech").values()))
    tf.saved_model.save(module, str(tmp_path / "graph"), signatures={"serving": signature})
    np.save(tmp_path / "sounds.npy", np.frombuffer(b"".join(map(audio.servable, sounds)), np.uint8))
    sizes = [len(audio.servable(sound)) for sound in sounds]
    code = (
        "import sys, numpy, tensorflow as tf\n"
        "data = numpy.load('sounds.npy').tobytes()\n"
        f"ends = numpy.cumsum({sizes})\n"
        f"files = tf.constant([data[end - size : end] for end, size in zip(ends, {sizes})])\n"
        "out = tf.saved_model.load('graph').signatures['serving'](speech_bytes=files)\n"
        "numpy.save('features.npy', out['features'].numpy())\n"
        "print({name.split('.')[0] for name in sys.modules} & {'kerasft', 'soundfile', 'librosa'})\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
    expected = audio.encode(sounds)[np.arange(len(sounds))]
    np.testing.assert_allclose(np.load(tmp_path / "features.npy"), expected, atol=1e-5)

import io
import wave

import numpy as np
import pytest
from PIL import Image

from kerasft.base.errors import InputError
from kerasft.data import load, sample_multimodal

ALL = ("text", "image", "audio", "tabular")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return load("sample:multimodal", inputs=ALL, cache=tmp_path_factory.mktemp("cache"))


def test_the_same_seed_gives_the_same_rows():
    one = sample_multimodal.generate("validation")
    assert sample_multimodal.generate("validation") == one
    assert sample_multimodal.generate("validation", seed=1)["text"] != one["text"]
    assert sample_multimodal.generate("test")["image"][:200] != one["image"]


def test_it_is_synthetic_of_known_size_and_without_repeats(rows):
    assert rows.synthetic
    assert rows.checks["rows"] == {"train": 1200, "validation": 200, "test": 400}
    assert rows.targets == {"kind": ["ball", "kite", "lamp", "shelf"], "mood": ["calm", "even", "lively"]}
    assert rows.tabular_columns == {"energy": "number", "price": "number", "material": "category"}
    assert rows.checks["warnings"] == []
    assert set(rows.checks["leaks"].values()) == {0}
    assert rows.checks["labels"]["test"] == {"ball": 100, "kite": 100, "lamp": 100, "shelf": 100}


def test_one_value_in_twenty_is_missing(rows):
    for name, column in (("text", rows.train["text"]), ("image", rows.train["image"]), ("audio", rows.train["audio"])):
        missing = sum(not value for value in column) / 1200
        assert 0.03 < missing < 0.07, name
        assert rows.checks["missing"]["train"][name] == round(1200 * missing)
    for name in rows.tabular_columns:
        assert 0.03 < np.mean([record[name] is None for record in rows.train["tabular"]]) < 0.07


def test_images_and_sounds_are_what_they_are_said_to_be(rows):
    image = Image.open(io.BytesIO(next(filter(None, rows.train["image"]))))
    assert (image.format, image.size, image.mode) == ("PNG", (32, 32), "RGB")
    with wave.open(io.BytesIO(next(filter(None, rows.train["audio"])))) as sound:
        assert sound.getparams()[:4] == (1, 2, 8000, 4000)


def _of_text(value):
    words = [word for place in sample_multimodal._PLACES for word in place]
    return [float(word in (value or "")) for word in words]


def _of_image(value):
    if value is None:
        return [0.0] * 4
    pixels = np.asarray(Image.open(io.BytesIO(value)), np.float64)
    red, blue = pixels[..., 0], pixels[..., 2]
    shape = np.abs(red - blue) > 100
    rows, columns = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
    filled = shape.sum() / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1)) if shape.any() else 0.5
    return [filled, filled**2, np.sign((red - blue)[shape].sum()), 1.0]


def _of_audio(value):
    if value is None:
        return [0.0]
    with wave.open(io.BytesIO(value)) as sound:
        samples = np.frombuffer(sound.readframes(4000), "<i2").astype(np.float64)
    halves = [np.abs(np.fft.rfft(half)).argmax() for half in np.split(samples, 2)]
    return [float(np.sign(halves[1] - halves[0]))]


def _of_record(value):
    return [value["energy"] or 0.5, (value["price"] or 25) / 10, float(value["material"] == "wood")]


def test_no_input_alone_tells_what_all_together_do(rows):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    readers = {"text": _of_text, "image": _of_image, "audio": _of_audio, "tabular": _of_record}
    features = {
        name: [np.array([read(value) for value in split[name]]) for split in (rows.train, rows.test)]
        for name, read in readers.items()
    }
    for target, best_alone in (("kind", 0.6), ("mood", 0.72)):
        scores = {}
        for names in [*((name,) for name in ALL), ALL]:
            train, test = (np.hstack([features[name][i] for name in names]) for i in (0, 1))
            model = make_pipeline(StandardScaler(), LogisticRegression(C=10, max_iter=2000))
            scores[names] = model.fit(train, rows.train[target][:]).score(test, rows.test[target][:])
        together = scores.pop(ALL)
        assert max(scores.values()) < best_alone, scores
        assert together > max(scores.values()) + 0.15, (scores, together)
        assert together > 0.8


def test_any_part_of_it_can_be_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_multimodal, "SIZES", {"train": 160, "validation": 20, "test": 20})
    rows = load("sample:multimodal", inputs=("audio",), targets=("mood",), cache=tmp_path)
    assert rows.targets == {"mood": ["calm", "even", "lively"]}
    assert 130 < rows.checks["rows"]["train"] < 160  # rows without a sound are dropped
    label = load("sample:multimodal", label_column="kind", cache=tmp_path)
    assert (label.inputs, list(label.targets)) == (("text",), ["label"])


def test_a_slip_in_its_name_is_answered(tmp_path):
    with pytest.raises(InputError, match=r"unknown kind of data.*Did you mean 'sample:multimodal'"):
        load("sample:multimodel", cache=tmp_path)

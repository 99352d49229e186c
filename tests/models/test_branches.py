import keras
import numpy as np
import onnxruntime
import pytest
from keras import ops

from kerasft.base.errors import InputError
from kerasft.export.onnx_model import write_onnx
from kerasft.models import AudioBranch, ImageBranch, TabularBranch, TextBranch, fusion_classifier
from kerasft.models.text_branch import mean_and_max


def parts(branch, name="x"):
    """A model of one branch that gives all of what it makes."""
    made = branch.encode(name)
    outputs = {"sequence": made.sequence, "mask": ops.cast(made.mask, "float32"), "vector": made.vector}
    return keras.Model({name: made.input}, outputs)


def run(model, x):
    return {name: np.asarray(value) for name, value in model({"x": x}, training=False).items()}


def test_mean_and_maximum_are_blind_to_padding():
    x = np.array([[[1.0, -5], [3, -1], [9, 9]], [[2, 2], [2, 2], [2, 2]]], np.float32)
    mask = np.array([[True, True, False], [False, False, False]])
    assert np.asarray(mean_and_max(ops.convert_to_tensor(x), ops.convert_to_tensor(mask))).tolist() == [
        [2, -3, 3, -1],
        [0, 0, 0, 0],
    ]


@pytest.mark.parametrize("kind", ["average", "lstm"])
def test_padding_does_not_change_a_text(kind):
    model = parts(TextBranch(9, kind, embedding=4, width=3))
    short = run(model, np.array([[3, 5]], np.int32))
    long = run(model, np.array([[3, 5, 0, 0], [3, 5, 7, 8]], np.int32))
    np.testing.assert_allclose(long["vector"][0], short["vector"][0], atol=1e-6)
    assert np.abs(long["vector"][1] - long["vector"][0]).max() > 1e-4
    assert long["mask"][0].tolist() == [1, 1, 0, 0]
    assert long["sequence"].shape == (2, 4, 4 if kind == "average" else 6)


@pytest.mark.parametrize(
    ("branch", "shape", "places", "features"),
    [
        (ImageBranch((17, 12, 3), channels=(2, 4)), (17, 12, 3), 4 * 3, 4),
        (ImageBranch((17, 12, 3), "resnet", channels=(4, 8), blocks=2), (17, 12, 3), 5 * 3, 8),
        (AudioBranch((9, 7), channels=(2, 3)), (9, 7), 2, 2 * 3),
        (AudioBranch((9, 7), "lstm", width=3), (9, 7), 9, 6),
        (TabularBranch(1, [2, 9], width=5), (4,), 1, 5),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_shapes(branch, shape, places, features):
    made = run(parts(branch), np.ones((3, *shape), np.uint8 if len(shape) == 3 else np.float32))
    assert made["sequence"].shape == (3, places, features)
    assert made["mask"].tolist() == [[1] * places] * 3
    assert made["vector"].shape == (3, features * (1 if places == 1 else 2))


def test_pixels_are_scaled_inside():
    model = parts(ImageBranch((8, 8, 3), channels=(2,)))
    scale = keras.Model(model.input, model.get_layer("x_scale").output)
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[0, 0, 0] = (0, 128, 255)
    assert model.input["x"].dtype == "uint8"
    np.testing.assert_allclose(scale({"x": pixels})[0, 0, 0], [-1, 128 / 127.5 - 1, 1], atol=1e-6)


def test_one_row_does_not_change_another_in_training():
    model = parts(ImageBranch((8, 8, 3), "resnet", channels=(8, 8), dropout=0.0))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    together = np.asarray(model({"x": pixels}, training=True)["vector"])
    pixels[1:] = 0
    np.testing.assert_allclose(model({"x": pixels}, training=True)["vector"][0], together[0], atol=1e-6)


def test_categories_and_numbers_reach_the_vector():
    model = parts(TabularBranch(1, [3, 4], width=16))
    row = np.array([[0.5, 0, 1, 2]], np.float32)
    before = run(model, row)["vector"]
    for place, value in enumerate((0.7, 1, 2, 3)):
        changed = row.copy()
        changed[0, place] = value
        assert np.abs(run(model, changed)["vector"] - before).max() > 1e-5


@pytest.mark.parametrize("kind", ["conv", "resnet"])
def test_images_export_to_native_ops(tmp_path, kind):
    model = fusion_classifier({"image": ImageBranch((16, 12, 3), kind, channels=(8, 16))}, {"label": 3})
    pixels = np.random.default_rng(0).integers(0, 256, (5, 16, 12, 3)).astype(np.uint8)
    found = write_onnx(model, tmp_path / "model.onnx")
    assert found["Conv"] == (2 if kind == "conv" else 6)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    (label,) = session.run(["label"], {"image": pixels})
    np.testing.assert_allclose(label, model({"image": pixels}, training=False)["label"], atol=1e-5)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: TextBranch(50, "averag"), "kind is not known. Received: 'averag'. Allowed: average, lstm. Did you m"),
        (lambda: TextBranch(1), "vocabulary_size must be at least 2. Received: 1."),
        (lambda: TextBranch(50, word_dropout=1), "word_dropout must be at least 0 and below 1. Received: 1."),
        (lambda: ImageBranch((4, 64, 3)), "sides of at least 8 for these channels. Received: (4, 64, 3)."),
        (lambda: ImageBranch((64, 64)), "images must have height, width and colours"),
        (lambda: ImageBranch(channels=()), "channels must be one or more numbers of at least 1. Received: ()."),
        (lambda: ImageBranch(blocks=0), "blocks must be at least 1. Received: 0."),
        (lambda: ImageBranch(kind="preset"), "kind 'preset' needs the folder of one. Received: \"kind='preset', pre"),
        (lambda: ImageBranch(preset="x"), "a preset is for kind 'preset'. Received: \"kind='conv', preset='x'\"."),
        (lambda: AudioBranch((4, 40)), "sounds must have frames and bins, at least 8 of each. Received: (4, 40)."),
        (lambda: AudioBranch((9, 9), "gru"), "kind is not known. Received: 'gru'. Allowed: conv, lstm."),
        (lambda: TabularBranch(0), "there must be at least one column. Received: 'no numbers and no categories'."),
        (lambda: TabularBranch(0, [4, 1]), "at least 2 ids. Received: 1. Where: category 2."),
    ],
)
def test_mistakes_are_told(build, text):
    with pytest.raises(InputError) as told:
        build()
    assert text in str(told.value)

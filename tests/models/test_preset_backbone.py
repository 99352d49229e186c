import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from kerasft.base.errors import InputError
from kerasft.export.onnx_model import write_onnx
from kerasft.models import ImageBranch, TabularBranch, fusion_classifier

keras_hub = pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """Folders of tiny backbones that KerasHub itself has written."""
    folder = tmp_path_factory.mktemp("presets")
    made = {
        "plain": keras_hub.models.DenseNetBackbone([1, 1], growth_rate=4),
        "scaled": keras_hub.models.DenseNetBackbone([1, 1], growth_rate=4),
        "transformer": keras_hub.models.ViTBackbone((16, 16, 3), (8, 8), 1, 1, 8, 8),
        "text": keras_hub.models.BertBackbone(10, 1, 1, 4, 8, max_sequence_length=4),
    }
    for name, backbone in made.items():
        backbone.save_to_preset(str(folder / name))
    converter = keras_hub.layers.ImageConverter(image_size=(32, 32), scale=[0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0])
    converter.save_to_preset(str(folder / "scaled"))
    return folder


def make(folder, shape=(32, 32, 3), **options):
    branches = {"image": ImageBranch(shape, "preset", preset=str(folder), **options), "tabular": TabularBranch(1)}
    return fusion_classifier(branches, {"label": 2}, width=4)


def batch(shape=(32, 32, 3), rows=3):
    pixels = np.random.default_rng(0).integers(0, 256, (rows, *shape)).astype(np.uint8)
    there = np.ones(rows, np.float32)
    return {
        "image": pixels,
        "image_present": there,
        "tabular": np.zeros((rows, 2), np.float32),
        "tabular_present": there,
    }


def test_a_preset_runs_loads_and_exports(presets, tmp_path):
    model = make(presets / "plain")
    wanted = np.asarray(model(batch(), training=False)["label"])
    found = write_onnx(model, tmp_path / "model.onnx")
    assert "Loop" not in found
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["label"], batch())[0], wanted, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "batch.npz", **batch())
    code = (
        "import sys, keras, keras_hub, numpy as np\n"
        "model = keras.models.load_model('model.keras')\n"
        "np.save('label.npy', model(dict(np.load('batch.npz')), training=False)['label'])\n"
        "print('kerasft' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "label.npy"), wanted, atol=1e-6)


def test_pixels_are_scaled_as_the_preset_says(presets):
    plain, scaled = (make(presets / name).get_layer("image_scale") for name in ("plain", "scaled"))
    pixels = np.full((1, 1, 1, 3), 10, np.uint8)
    np.testing.assert_allclose(np.ravel(plain(pixels)), [10 / 255] * 3, rtol=1e-6)
    np.testing.assert_allclose(np.ravel(scaled(pixels)), [2, 4, 6], rtol=1e-6)


def test_a_transformer_gives_its_tokens(presets):
    encoded = ImageBranch((16, 16, 3), "preset", preset=str(presets / "transformer")).encode("image")
    assert encoded.sequence.shape == (None, 5, 8)
    assert encoded.vector.shape == (None, 16)


def test_statistics_stay_and_weights_may(presets):
    model = make(presets / "plain")
    (backbone,) = [layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone)]
    before = backbone.get_weights()
    model.compile("sgd", "mse")
    model.train_on_batch(batch(), {"label": np.ones((3, 2))})
    moved = {
        name: [
            bool(np.abs(value - old).max())
            for weight, old, value in zip(backbone.weights, before, backbone.get_weights(), strict=True)
            if weight.name == name
        ]
        for name in ("moving_mean", "kernel")
    }
    assert moved["moving_mean"]
    assert not any(moved["moving_mean"])
    assert any(moved["kernel"])
    frozen = make(presets / "plain", train_preset=False)
    assert len(frozen.trainable_variables) == len(model.trainable_variables) - len(backbone.trainable_variables)


@pytest.mark.parametrize(
    ("name", "shape", "text"),
    [
        ("nothing", (32, 32, 3), "this folder holds no KerasHub preset. Received: "),
        ("text", (32, 32, 3), "the preset holds no image backbone. Received: 'BertBackbone'."),
        ("transformer", (32, 32, 3),
         "the preset's backbone is made for images of another shape. Received: (32, 32, 3)."),
        ("broken", (32, 32, 3), "the preset cannot be read: "),
    ],
)  # fmt: skip
def test_mistakes_are_told(presets, name, shape, text):
    if name == "broken":
        (presets / name).mkdir()
        (presets / name / "config.json").write_text("{}")
    with pytest.raises(InputError) as told:
        make(presets / name, shape)
    assert text in str(told.value)

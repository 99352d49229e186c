import itertools

import keras
import numpy as np
import onnxruntime
import pytest
from fusion_toys import TARGETS, arrays, branches, with_random_weights

from kerasft.base.errors import InputError
from kerasft.export.onnx_model import write_onnx
from kerasft.models import TextBranch, fusion_classifier

FUSIONS = ("concat", "gated")
NAMES = ("text", "image", "audio")
SUBSETS = [names for count in (1, 2, 3) for names in itertools.combinations(NAMES, count)]


def make(names=NAMES, recurrent=False, targets=TARGETS, **options):
    model = fusion_classifier(branches(*names, recurrent=recurrent), targets, **{"width": 6, **options})
    return with_random_weights(model)


def answers(model, batch):
    return {name: np.asarray(value) for name, value in model(batch, training=False).items()}


@pytest.mark.parametrize("fusion", FUSIONS)
def test_any_inputs_make_a_model(fusion):
    for names in SUBSETS:
        model = make(names, fusion=fusion)
        masks = [f"{name}_present" for name in names] if len(names) > 1 else []
        assert sorted(tensor.name for tensor in model.inputs) == sorted([*names, *masks])
        found = answers(model, arrays(names))
        assert {name: value.shape for name, value in found.items()} == {"season": (4, 3), "usage": (4, 2)}
        assert found["season"].dtype == np.float32


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_missing_value_has_no_influence(fusion, recurrent):
    model = make(fusion=fusion, recurrent=recurrent)
    everything = answers(model, arrays(NAMES))
    for present in SUBSETS:
        batch = arrays(NAMES, present=present)
        found = answers(model, batch)
        assert all(np.isfinite(value).all() for value in found.values())
        assert len(present) == 3 or np.abs(found["season"] - everything["season"]).max() > 1e-4
        others = arrays(NAMES, seed=5, present=present)
        others["audio"][:] = np.nan
        changed = {**batch, **{name: others[name] for name in NAMES if name not in present}}
        for target, value in answers(model, changed).items():
            np.testing.assert_array_equal(value, found[target])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_missing_nan_does_not_reach_the_weights(fusion):
    model = make(fusion=fusion, recurrent=True)
    model.compile("sgd", {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in TARGETS})
    batch = arrays(NAMES)
    batch["audio_present"][:2] = 0
    batch["audio"][:2] = np.nan
    model.train_on_batch(batch, {name: np.zeros(4) for name in TARGETS})
    assert all(np.isfinite(value).all() for value in model.get_weights())


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_onnx_gives_the_same_answers(tmp_path, fusion, recurrent):
    model = make(fusion=fusion, recurrent=recurrent, hidden=4)
    ops = write_onnx(model, tmp_path / "model.onnx")
    assert not {"Loop", "Scan", "If", "Einsum", "PyFunc", "Dropout"} & set(ops)
    assert ops.get("LSTM", 0) == (4 if recurrent else 0)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert sorted(value.name for value in session.get_inputs()) == sorted(tensor.name for tensor in model.inputs)
    for rows, present in itertools.product((1, 3), SUBSETS):
        batch = arrays(NAMES, rows=rows, present=present)
        if "text" not in present:
            batch["text"][:] = 0  # as a missing text comes: padding alone
        found = dict(zip(TARGETS, session.run(list(TARGETS), batch), strict=True))
        for target, wanted in answers(model, batch).items():
            np.testing.assert_allclose(found[target], wanted, atol=1e-5)


def test_a_model_is_plain_keras(tmp_path):
    for fusion in FUSIONS:
        model = make(fusion=fusion)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        batch = arrays(NAMES, present=("text", "audio"))
        for target, value in answers(again, batch).items():
            np.testing.assert_array_equal(value, answers(model, batch)[target])


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: fusion_classifier({}, TARGETS), "there must be at least one branch."),
        (lambda: fusion_classifier(branches("text"), {}), "there must be at least one target."),
        (lambda: make(targets={"season": 1}), "a target must have at least 2 classes. Received: 1. Where: target 'se"),
        (lambda: make(fusion="gate"), "fusion is not known. Received: 'gate'."),
        (lambda: make(fusion="gate"), "Did you mean 'gated'?"),
        (lambda: make(width=0), "width must be at least 1. Received: 0."),
        (lambda: make(dropout=1.0), "dropout must be at least 0 and below 1. Received: 1.0."),
        (lambda: TextBranch(50, "averag"), "Did you mean 'average'?"),
        (lambda: fusion_classifier({"a_present": TextBranch(5)}, TARGETS), "must not end with _present."),
    ],
)
def test_mistakes_are_told(build, text):
    with pytest.raises(InputError) as told:
        build()
    assert text in str(told.value)

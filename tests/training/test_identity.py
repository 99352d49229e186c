import pytest
from toy_training import make_learner, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe
from kerasft.training.begun import check_identity
from kerasft.training.identity import identity_of


def test_equal_models_are_equal_whatever_names_keras_gives_them():
    one, two = (identity_of(make_learner(Recipe()), make_rows(), Recipe()) for _ in range(2))
    assert one == two
    wider = identity_of(make_learner(Recipe(), width=7), make_rows(), Recipe())
    assert {name for name in one if one[name] != wider[name]} == {"model"}


def test_identity_names_every_difference(tmp_path):
    path = tmp_path / "run" / "checkpoints" / "identity.json"
    check_identity(path, {"learning_rate": 0.1, "data": "a", "seed": 1})
    check_identity(path, {"learning_rate": 0.1, "data": "a", "seed": 1})
    with pytest.raises(InputError) as error:
        check_identity(path, {"learning_rate": 0.2, "data": "b", "seed": 1})
    assert "the run folder was begun with other settings" in str(error.value)
    assert "learning_rate 0.1 -> 0.2; data 'a' -> 'b'" in str(error.value)
    assert f"Where: {tmp_path / 'run'}." in str(error.value)
    assert "seed" not in str(error.value)


def test_a_run_of_an_earlier_version_had_the_defaults_of_later_settings(tmp_path):
    path = tmp_path / "checkpoints" / "identity.json"
    now = identity_of(make_learner(Recipe()), make_rows(), Recipe())
    later = ("accumulate", "layer_decay", "freeze", "labels")
    check_identity(path, {name: value for name, value in now.items() if name not in later})
    check_identity(path, now)
    with pytest.raises(InputError, match="begun with other settings: accumulate 1 -> 4"):
        check_identity(path, now | {"accumulate": 4})


@pytest.mark.parametrize(
    ("name", "what"), [("data", "the data are not what"), ("start", "the pretrained encoder is not what")]
)
def test_other_data_and_another_encoder_are_told_in_words(tmp_path, name, what):
    path = tmp_path / "run" / "checkpoints" / "identity.json"
    check_identity(path, {"seed": 1, "data": "a" * 64, "start": "a" * 64})
    with pytest.raises(InputError) as error:
        check_identity(path, {"seed": 1, "data": "a" * 64, "start": "a" * 64} | {name: "b" * 64})
    assert str(error.value) == (
        f"{what} the run was begun with. Received: 'fingerprint {'b' * 12}'. Where: {tmp_path / 'run'}. "
        f"Allowed: fingerprint {'a' * 12}. Something was changed in the meantime: choose another --run, or put back "
        "what was there."
    )


def test_a_run_that_tells_no_encoder_goes_on(tmp_path):
    check_identity(tmp_path / "run" / "identity.json", {"seed": 1})
    check_identity(tmp_path / "run" / "identity.json", {"seed": 1, "start": "b"})


def test_other_labels_are_told_as_labels(tmp_path):
    path = tmp_path / "run" / "checkpoints" / "identity.json"
    check_identity(path, {"labels": {"label": ["negative", "positive"]}, "task": "a"})
    with pytest.raises(InputError) as error:
        check_identity(path, {"labels": {"label": ["bad", "good"]}, "task": "b"})
    assert str(error.value) == (
        "the labels of the rows differ from those that the run was begun with. "
        f"Received: {{'label': ['bad', 'good']}}. Where: {tmp_path / 'run'}. "
        "Allowed: {'label': ['negative', 'positive']}. "
        "A model answers with the labels it was built for: choose another --run for these rows."
    )

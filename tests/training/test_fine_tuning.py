"""The ways of training on a real encoder of BERT's family, of width 8."""

import keras
import numpy as np
import pytest
from rich.console import Console
from toy_encoder import CachedNumbers
from toy_training import digest, make_rows

from kerasft.learner import Learner
from kerasft.models import TextBackbone, transformer_classifier
from kerasft.models.low_rank import has_low_rank, merged
from kerasft.models.windows import Windows
from kerasft.tasks import Classification
from kerasft.training import Recipe, fit, prepare
from kerasft.training.features import Cut
from kerasft.training.layer_groups import layer_groups

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(15))]


def make_encoder(recipe, **options):
    import keras_hub

    prepare(recipe)
    model = keras_hub.models.BertBackbone(len(VOCABULARY), 2, 2, 8, 12, max_sequence_length=20)
    backbone = TextBackbone(model, VOCABULARY, True, True, 20, "gelu_tanh", "toy")
    classifier = transformer_classifier(backbone, 2, **options)
    return Learner({"text": CachedNumbers()}, classifier, Classification(["without", "with"]))


def train(learner, run, recipe):
    fit(learner, make_rows(32, 16), recipe, run, console=Console(quiet=True), cache=run / "cache")
    return learner


@pytest.mark.parametrize("head", ["cls", "mean"])
def test_layers_of_a_classifier_stand_in_order(head):
    groups = layer_groups(make_encoder(Recipe(), head=head).model, "--layer-decay")
    names = [{variable.path.split("/")[0] for variable in group} for group in groups]
    embeddings = {"token_embedding", "position_embedding", "segment_embedding", "embeddings_layer_norm"}
    assert names[0] <= embeddings
    assert "token_embedding" in names[0]
    assert names[1:3] == [{"transformer_layer_0"}, {"transformer_layer_1"}]
    assert names[3] == ({"logits", "pooled_dense"} if head == "cls" else {"logits"})


@pytest.mark.parametrize("windows", [None, Windows(size=6, stride=2)], ids=["whole", "windows"])
def test_a_classifier_is_cut_at_its_features(windows):
    learner = make_encoder(Recipe(), head="cls", windows=windows)
    arrays = learner.encode(make_rows(32, 16).train)
    cut = Cut(learner.model)
    answers = cut.head.predict({"features": cut.features(arrays)}, verbose=0)["label"]
    np.testing.assert_allclose(answers, learner.predict_arrays(arrays)["label"], atol=1e-6)
    assert {variable.path.split("/")[-2] for variable in cut.head.trainable_variables} == {"logits"}


def test_low_rank_updates_train_few_weights_and_merge_exactly(tmp_path):
    recipe = Recipe(epochs=1, learning_rate=0.1, batch_size=8, restore_best=False)
    learner = make_encoder(recipe, lora_rank=2)
    names = {variable.path for variable in learner.model.trainable_variables}
    frozen = [v for v in learner.model.variables if v.path not in names and "seed" not in v.path]
    before = [keras.ops.convert_to_numpy(variable.value).copy() for variable in frozen]
    train(learner, tmp_path / "run", recipe)
    after = [keras.ops.convert_to_numpy(variable.value) for variable in frozen]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    plain = Learner(learner.inputs, merged(learner.model), learner.task)
    assert not has_low_rank(plain.model)
    rows = make_rows(32, 16).train
    np.testing.assert_allclose(plain.predict(rows)["label"], learner.predict(rows)["label"], atol=1e-5)


@pytest.mark.slow
def test_gradual_unfreezing_with_accumulation_goes_on_where_it_stopped(tmp_path, monkeypatch):
    from test_resume import KilledError, kill_at

    recipe = Recipe(
        epochs=3, batch_size=8, freeze="gradual", accumulate=3, layer_decay=0.8, optimizer="adamw", checkpoint_seconds=0
    )
    whole = digest(train(make_encoder(recipe), tmp_path / "whole", recipe).model)
    kill_at(monkeypatch, {2, 7})
    kills = 0
    while True:
        try:
            resumed = digest(train(make_encoder(recipe), tmp_path / "killed", recipe).model)
            break
        except KilledError:
            kills += 1
    assert kills == 2
    assert resumed == whole

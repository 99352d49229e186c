import json
import os
import subprocess
import sys

import numpy as np
import pytest
from pretrain_toys import make_text, make_texts, toy_backbone

from kerasft.base.errors import InputError
from kerasft.models import load_backbone
from kerasft.models.masked_lm import masked_lm, trained_backbone
from kerasft.pretrain.preset import HEAD, check_preset_target, continued_positions, read_head, write_preset

CODE = """
import json, sys
import numpy as np, keras_hub
backbone = keras_hub.models.BertBackbone.from_preset(sys.argv[1])
tokenizer = keras_hub.tokenizers.BertTokenizer.from_preset(sys.argv[1])
ids = np.array([[2, *np.asarray(tokenizer(sys.argv[2])).tolist(), 3]], np.int32)
inputs = {"token_ids": ids, "segment_ids": np.zeros_like(ids), "padding_mask": np.ones_like(ids)}
print(json.dumps([ids[0].tolist(), np.asarray(backbone(inputs)["sequence_output"])[0].tolist()]))
print(any(name.startswith("kerasft") for name in sys.modules))
"""


@pytest.fixture
def made():
    text = make_text(make_texts())
    backbone = toy_backbone(text.vocabulary)
    model = masked_lm(backbone, next_sentence=False)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(0, 0.5, variable.shape))
    return text, backbone, model


def write(folder, made, trained=None):
    write_preset(folder, made[2], made[1], trained, "# Card\n", {"steps": 3})


def test_keras_hub_alone_opens_it_and_gives_the_same_vectors(tmp_path, made):
    text, backbone, model = made
    write(tmp_path / "bert", made)
    sentence = "The Red CAT, a bïrd!"
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "bert"), sentence],
        capture_output=True, text=True, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    found, alone = done.stdout.splitlines()[-2:]
    ids, vectors = json.loads(found)
    assert ids == [2, *text.encode([sentence]).values.tolist(), 3]
    assert alone == "False"
    batch = {"token_ids": [ids], "segment_ids": np.zeros((1, len(ids))), "padding_mask": np.ones((1, len(ids)))}
    encoder = trained_backbone(model, backbone)
    np.testing.assert_allclose(
        encoder({k: np.array(v) for k, v in batch.items()})["sequence_output"][0], vectors, atol=1e-5
    )
    assert {"MODEL_CARD.md", "pretraining.json"} <= {path.name for path in (tmp_path / "bert").iterdir()}


def test_a_preset_of_pretraining_is_replaced_and_nothing_is_left_beside_it(tmp_path, made):
    folder = tmp_path / "bert"
    write(folder, made)
    made[2].get_layer("masked_tokens").token_embedding.embeddings.assign_add(
        np.ones((len(made[0].vocabulary), 8), np.float32)
    )
    write(folder, made)
    table = load_backbone(folder).model.token_embedding.embeddings
    np.testing.assert_array_equal(table, made[2].get_layer("masked_tokens").token_embedding.embeddings)
    assert [path.name for path in tmp_path.iterdir()] == ["bert"]


def test_a_folder_of_something_else_is_refused(tmp_path, made):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError) as error:
        write(tmp_path, made)
    assert str(error.value) == (
        f"the export folder holds something else than a pretrained preset. Received: {str(tmp_path)!r}. "
        "Where: --export. Name a new folder; nothing was overwritten."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(InputError, match="the export folder is a file"):
        check_preset_target(tmp_path / "notes.txt")
    with pytest.raises(InputError) as error:
        check_preset_target(tmp_path / "notes.txt" / "bert")
    assert str(error.value) == (
        f"the export folder is to stand in a file. Received: '{tmp_path}/notes.txt'. Where: --export. "
        "Name another folder; nothing was written."
    )
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", made)
    assert (tmp_path / "empty" / "config.json").exists()


def test_the_preset_that_training_starts_from_is_not_replaced(tmp_path):
    (tmp_path / "bert").mkdir()
    check_preset_target(tmp_path / "bert", str(tmp_path / "other"))
    check_preset_target(tmp_path / "bert", "bert_tiny_en_uncased")
    with pytest.raises(InputError) as error:
        check_preset_target(tmp_path / "bert", f"{tmp_path}/./bert/")
    assert str(error.value) == (
        "the preset would take the place of the one that training starts from, and no run could be repeated. "
        f"Received: '{tmp_path}/bert'. Where: --export and --backbone. Name another --export."
    )


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path, monkeypatch):
    check_preset_target(tmp_path / "new" / "bert")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(InputError, match="is to stand in a folder in which nothing can be written"):
        check_preset_target(tmp_path / "new" / "bert")


def test_positions_that_were_not_trained_repeat_those_that_were(tmp_path, made):
    table = np.arange(10.0)[:, None]
    assert continued_positions(table, 4)[:, 0].tolist() == [0, 1, 2, 3, 1, 2, 3, 1, 2, 3]
    start = np.arange(10.0)[:, None] / 10
    trained = start + np.array([[1], [2], [3], [4], *[[0]] * 6])
    assert continued_positions(trained, 4, start)[:, 0] == pytest.approx(
        [1, 2.1, 3.2, 4.3, 2.4, 3.5, 4.6, 2.7, 3.8, 4.9]
    )
    write(tmp_path / "bert", made, trained=16)
    before = made[2].get_layer("position_embedding").get_weights()[0]
    after = load_backbone(tmp_path / "bert").model.position_embedding.get_weights()[0]
    np.testing.assert_array_equal(after[:16], before[:16])
    np.testing.assert_array_equal(after[16:31], before[1:16])


def test_a_head_that_cannot_be_read_is_told(tmp_path):
    assert read_head(tmp_path) is None
    (tmp_path / HEAD).write_bytes(b"PK half a file")
    with pytest.raises(InputError, match="the head of the masked language model cannot be read"):
        read_head(tmp_path)

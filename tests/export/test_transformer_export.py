"""Encoders through the whole gate: heads, families, windows, low-rank updates, mixed precision, real languages."""

import csv
import gzip
import os
import sys
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from kerasft.export import export
from kerasft.export.census import count_ops
from kerasft.export.onnx_model import convert
from kerasft.export.twin import is_mixed, served_twin
from kerasft.inputs import Text
from kerasft.learner import Learner
from kerasft.models import Windows, new_backbone, transformer_classifier
from kerasft.models.text_backbone import TextBackbone
from kerasft.runtime import Predictor
from kerasft.tasks import Classification

PIECES = ["a", "quiet", "film", "##s", "cafe", ",", "北", "loud", "##er", "not", "good", "##n"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES]
POSITIONS = 16
DATA = os.environ.get("KERASFT_DATA")


def small(family="Bert", **more):
    """A backbone of width 8."""
    import keras_hub

    size = "vocab_size" if family == "Electra" else "vocabulary_size"
    options = {size: len(VOCABULARY), "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
    options |= {"intermediate_dim": 12, "dropout": 0.1, "max_sequence_length": POSITIONS}
    options |= {"embedding_dim": 6} if family == "Electra" else {}
    model = getattr(keras_hub.models, f"{family}Backbone")(**options)
    facts = {"activation": "gelu", "source": "toy", "max_length": POSITIONS, **more}
    return TextBackbone(model, VOCABULARY, lowercase=True, strip_accents=True, **facts)


def make_learner(backbone, *, max_tokens=POSITIONS - 2, classes=3, spread=0.3, **options):
    text = Text.from_vocabulary(
        backbone.vocabulary, max_tokens=max_tokens, lowercase=backbone.lowercase, strip_accents=backbone.strip_accents
    )
    model = transformer_classifier(backbone, classes, **options)
    random = np.random.default_rng(0)
    for variable in model.weights:  # large enough to tell things apart, those of low rank, too
        if variable.dtype == "float32":
            variable.assign(random.normal(float("gamma" in variable.path), spread, variable.shape))
    return Learner({"text": text}, model, Classification([str(label) for label in range(classes)]))


def some_texts(count=12, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(["a", "quiet", "films", "café", "北北", "louder", "?"], size=size))
            for size in random.integers(1, 30, count)]  # fmt: skip


FAMILIES = [
    ("Bert", {"head": "cls"}),
    ("Bert", {"head": "cls", "windows": Windows(8, 4, "max")}),
    ("Bert", {"head": "mean", "windows": Windows(8, 4, "attention")}),
    ("DistilBert", {"head": "max"}),
    ("Electra", {"head": "cls"}),
]


def of_family(family, options):
    return make_learner(small(family), max_tokens=40 if "windows" in options else POSITIONS - 2, **options)


@pytest.mark.parametrize(
    ("family", "options"), [FAMILIES[2], *(pytest.param(*one, marks=pytest.mark.slow) for one in FAMILIES)]
)
def test_every_path_answers_as_the_model_does(family, options, tmp_path):
    texts = [*some_texts(), "a quiet film " * 9]
    found = export(of_family(family, options), tmp_path / "films", verify_on={"text": texts}).parity
    assert found["worst_difference"] < 5e-6
    assert not {"Loop", "If", "Scan"} & set(found["ops"]["ONNX"])
    assert not {"PyFunc", "NormalizeUTF8"} & set(found["ops"]["SavedModel"])
    predictor = Predictor(tmp_path / "films")
    for text, answer in zip(texts, predictor(texts), strict=True):  # a text alone, and beside a longer one
        assert predictor([text])[0]["scores"] == pytest.approx(answer["scores"], abs=1e-6)


@pytest.mark.parametrize(("family", "options"), FAMILIES)
def test_onnx_of_each_family(family, options):
    learner = of_family(family, options)
    proto = convert(learner.model)
    found = count_ops(proto.graph)
    assert found["LayerNormalization"] == 5
    assert found["Softmax"] == 2 + ("windows" in options and options["windows"].pooling == "attention")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    ids = learner.encode({"text": ["a quiet film " * 9, "北", "a loud film"]})["text"].pad()
    wanted = learner.model.predict_on_batch({"text": ids})["label"]
    np.testing.assert_allclose(session.run(None, {"text": ids})[0], wanted, atol=5e-6)


def test_low_rank_updates_are_worked_into_the_weights():
    learner = make_learner(small(), lora_rank=2)
    twin, texts = served_twin(learner), {"text": some_texts()}
    assert twin is not learner
    assert not [variable for variable in twin.model.weights if "lora" in variable.path]
    np.testing.assert_allclose(twin.predict(texts)["label"], learner.predict(texts)["label"], atol=1e-6)
    assert served_twin(twin) is twin


def test_a_model_of_mixed_precision_is_held_to_its_float32_twin(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        learner = make_learner(small())
    finally:
        keras.config.set_dtype_policy("float32")
    assert is_mixed(learner)
    found = export(learner, tmp_path / "films", verify_on={"text": some_texts()}).parity
    assert found["worst_difference"] < 5e-6
    mixed = found["trained_in_mixed_precision"]
    assert mixed["rows"] == found["rows"] >= mixed["labels_equal"] > 0.6 * found["rows"]
    assert 1e-6 < mixed["worst_difference"] < 0.2


@pytest.mark.slow
def test_rounding_stays_small_through_twelve_layers(tmp_path):
    backbone = new_backbone("base", VOCABULARY, lowercase=True, strip_accents=True, max_length=POSITIONS)
    learner = make_learner(backbone, spread=0.05)
    assert export(learner, tmp_path / "films", verify_on={"text": some_texts()}).parity["worst_difference"] < 5e-6


def real_texts(name):
    if DATA is None:
        pytest.skip("KERASFT_DATA is not set")
    if name == "chinese":
        with gzip.open(Path(DATA) / "chnsenticorp" / "dev.tsv.gz", "rt", encoding="utf-8", newline="") as file:
            return [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][:1_000]
    import pyarrow.parquet

    return pyarrow.parquet.read_table(Path(DATA) / "imdb" / "test.parquet")["text"].to_pylist()[:20_000:20]


def real_vocabulary(name):
    with gzip.open(Path(DATA) / "bert_vocab" / f"vocab.{name}.txt.gz", "rt", encoding="utf-8") as file:
        return file.read().rstrip("\n").split("\n")  # a line separator is a token, too


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "vocabulary", "options"),
    [
        ("english", "bert-base-uncased", {"head": "cls"}),
        ("chinese", "bert-base-chinese", {"head": "cls"}),
        ("english", "bert-base-uncased", {"head": "mean", "windows": Windows(64, 40)}),
    ],
    ids=["English", "Chinese", "windows"],
)
def test_a_thousand_real_rows(language, vocabulary, options, tmp_path):
    texts = real_texts(language)
    cased = {"lowercase": True, "strip_accents": True}
    backbone = new_backbone("tiny", real_vocabulary(vocabulary), max_length=128, **cased)
    learner = make_learner(backbone, max_tokens=400 if "windows" in options else 126, spread=0.1, **options)
    found = export(learner, tmp_path / "films", verify_on={"text": texts}, rows=1_000).parity
    assert found["rows"] >= 1_000 + found["hostile_rows"]
    assert all(path["labels_equal"] == path["rows"] for path in found["paths"].values())
    sys.stdout.write(f"\n{found['rows']:,} rows, worst difference of a score {found['worst_difference']:.1e}\n")
    assert found["worst_difference"] < 5e-6

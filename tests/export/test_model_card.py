import copy
import json

import numpy as np
import pytest
import yaml

from kerasft.base.errors import InputError
from kerasft.evaluation import evaluate
from kerasft.export.model_card import write_model_card

SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
LABELS = ["bad|worse", "<good>"]
RESULT = {
    "title": "my_run",
    "labels": LABELS,
    "source": "csv:/home/somebody/reviews.csv",
    "config": {"data": "csv:/home/somebody/reviews.csv", "recipe": {"epochs": 3}},
    "data": {"rows": {"train": 2000, "test": 4}, "duplicates": {"train": 4}, "leaks": {"train/test": 12}},
    "history": [{"epoch": 1, "seconds": 75.0}],
    "metrics": evaluate(SCORES, np.array([0, 1, 1, 1]), LABELS, resamples=20),
    "baselines": {"majority": {"accuracy": 0.5}, "tfidf_logreg": {"accuracy": 0.7, "macro_f1": 0.66}},
    "errors": [{"row": 2, "text": "a private sentence", "true": "x", "predicted": "y", "score": 0.7}],
    "parity": {
        "tolerance": 1e-5,
        "paths": {"ONNX": {"rows": 270, "labels_equal": 270, "worst_difference": 5.5e-7}},
    },
    "environment": {"cores": 2, "cpu": "A CPU", "versions": {"keras": "3.15.1"}},
}


def card(result, tmp_path, **options):
    path = tmp_path / "MODEL_CARD.md"
    write_model_card(result, path, **options)
    return path.read_text(encoding="utf-8")


def front_matter(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_measured_figures_stand_beside_the_baseline(tmp_path):
    text = card(RESULT, tmp_path)
    assert "| Accuracy | 75.00% (" in text
    assert ") | 70.00% | 50.00% |" in text
    assert "|  | this model | tf-idf + logistic regression | most frequent label |" in text
    assert "4 test rows." in text
    assert "1 epoch in 1 min 15 s of training. Machine: 2 cores, A CPU, keras 3.15.1." in text
    assert "| ONNX | 270 | 270 | 5.5e-07 |" in text


def test_limits_are_what_was_found(tmp_path):
    text = card(RESULT, tmp_path)
    assert "- Rows repeat the text of another: train 4." in text
    assert "- Texts are in both splits: train/test 12." in text
    assert "- Most frequent confusion: `<good>` taken for `bad|worse`, 1 row." in text
    assert "- The most confident wrong answer had a score of 70.00%." in text


def test_front_matter_is_that_of_a_model_card(tmp_path):
    facts = front_matter(card(RESULT, tmp_path))
    assert facts["pipeline_tag"] == "text-classification"
    (model,) = facts["model-index"]
    (measured,) = model["results"]
    assert measured["dataset"] == {"name": "csv:reviews.csv", "type": "csv:reviews.csv", "split": "test"}
    assert {"type": "accuracy", "name": "Accuracy", "value": 0.75} in measured["metrics"]
    assert "license" not in facts


def test_neither_texts_nor_folders_go_into_the_card(tmp_path):
    text = card(RESULT, tmp_path)
    assert "private sentence" not in text
    assert "somebody" not in text
    assert "`recipe.epochs` | `3`" in text


def test_synthetic_figures_are_called_so(tmp_path):
    text = card({**RESULT, "synthetic": True}, tmp_path)
    assert "**Synthetic data.**" in text
    assert "## Measured on the test split (synthetic data)" in text
    assert "synthetic-data" in front_matter(text)["tags"]
    assert "csv:reviews.csv (synthetic)" in text
    assert "ynthetic" not in card(RESULT, tmp_path)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(tmp_path):
    result = copy.deepcopy(RESULT)
    result["config"]["note"] = "a | b"
    text = card(result, tmp_path)
    tables = [block.split("\n") for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 4
    for lines in tables:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_use_names_every_input(tmp_path):
    assert 'Predictor("my_run")(["A text."])' in card(RESULT, tmp_path)
    text = card(RESULT, tmp_path, inputs=["title", "body"])
    assert 'Predictor("my_run")({"title": ["A text."], "body": ["A text."]})' in text
    assert '{"instances": [{"title": "A text.", "body": "A text."}]}' in text


@pytest.mark.parametrize("part", [name for name in RESULT if name != "title"])
def test_any_part_may_be_missing(tmp_path, part):
    card({name: value for name, value in RESULT.items() if name != part}, tmp_path)
    text = card({"title": "one part", part: RESULT[part]}, tmp_path)
    assert "None" not in text


def test_an_unknown_part_is_refused(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'labels'"):
        card({"label": []}, tmp_path)
    assert list(tmp_path.iterdir()) == []


TARGETS = {
    "season": {
        "labels": LABELS,
        "metrics": evaluate(SCORES, np.array([0, 1, 1, -1]), LABELS, resamples=20),
        "baselines": {"majority": {"macro_f1": 0.3}, "joint_logreg": {"macro_f1": 0.61, "accuracy": 0.7}},
        "errors": RESULT["errors"],
    },
    "a|b": {"labels": ["x", "y"], "metrics": RESULT["metrics"]},
}
FIGURES = {"season": 0.6, "a|b": 0.5, "mean": 0.55}
MULTIMODAL = {
    **{name: part for name, part in RESULT.items() if name not in ("labels", "errors")},
    "inputs": ["text", "photo", "sound", "tabular"],
    "input_specs": {
        "text": {"type": "text", "max_tokens": 32, "vocabulary_size": 5000},
        "photo": {"type": "image", "size": [64, 48], "fit": "pad"},
        "sound": {"type": "audio", "sample_rate": 8000, "seconds": 1.5, "features": "logmel"},
        "tabular": {"type": "tabular", "number_names": ["price in EUR"], "category_names": ["brand"]},
    },
    "targets": TARGETS,
    "metrics": {"n": 4, "accuracy": 0.7, "macro_f1": 0.66},
    "modalities": {
        "metric": "macro_f1",
        "rows": 4,
        "all": FIGURES,
        "only": dict.fromkeys(("text", "photo", "sound"), FIGURES),
        "without": dict.fromkeys(("text", "photo", "sound"), FIGURES),
    },
}


def test_every_input_says_what_it_takes(tmp_path):
    text = card(MULTIMODAL, tmp_path)
    assert "- `text` (text): a string, of which 32 tokens count, vocabulary of 5,000." in text
    assert "- `photo` (image): the bytes of a JPEG, PNG, WebP, BMP or GIF file" in text
    assert "padded to 64 x 48 pixels." in text
    assert "resampled to 8,000 Hz, cut or padded to 1.5 s, taken as log-mel bands" in text
    assert "- `tabular` (tabular): a record of columns: numbers `price in EUR`; categories `brand`." in text
    assert "Any input may be missing" in text
    assert "## Inputs" not in card(RESULT, tmp_path)


def test_a_request_holds_every_input_and_files_in_base64(tmp_path):
    text = card(MULTIMODAL, tmp_path)
    line = next(line for line in text.splitlines() if line.startswith('{"instances"'))
    (instance,) = json.loads(line)["instances"]
    assert instance == {
        "text": "A text.",
        "photo_bytes": {"b64": "..."},
        "sound_bytes": {"b64": "..."},
        "price_in_EUR": 1.0,
        "brand": "a",
    }
    assert '{"text": ["A text."], "photo": ["photo.jpg"], "sound": ["sound.wav"], "tabular": [{' in text
    assert "`season_scores` and `season_label`" in text
    assert "`<input>_present`" in text
    assert "`tokens`" not in text


def test_several_targets_and_what_each_input_gives(tmp_path):
    text = card(MULTIMODAL, tmp_path)
    assert "- Target `season`: `bad|worse`, `<good>`." in text
    assert "| `season` | 3 | 66.67% (" in text
    assert "61.00% (all inputs + logistic regression) |" in text
    assert "4 test rows. Means over the targets." in text
    assert "| all inputs | 60.00% | 50.00% | 55.00% | – |" in text
    assert "| text alone | 60.00% | 50.00% | 55.00% | +0.00 |" in text
    assert "- `season`: test rows without a label, left out: 1." in text
    assert "private sentence" not in text
    facts = front_matter(text)
    assert "pipeline_tag" not in facts
    assert {"multimodal", "text", "image", "audio", "tabular"} <= set(facts["tags"])


def test_one_input_of_another_kind_has_its_own_pipeline(tmp_path):
    specs = {"photo": {"type": "image", "size": [8, 8], "fit": "crop"}}
    text = card({**RESULT, "inputs": ["photo"], "input_specs": specs}, tmp_path)
    assert front_matter(text)["pipeline_tag"] == "image-classification"
    assert 'Predictor("my_run")(["photo.jpg"])' in text
    assert "Any input may be missing" not in text


def test_tables_of_several_targets_have_as_many_cells_as_their_heads(tmp_path):
    tables = [block.split("\n") for block in card(MULTIMODAL, tmp_path).split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for lines in tables:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.parametrize("part", [name for name in MULTIMODAL if name != "title"])
def test_any_part_of_a_multimodal_card_may_be_missing(tmp_path, part):
    text = card({name: value for name, value in MULTIMODAL.items() if name != part}, tmp_path)
    assert "None" not in text.replace("then None or", "")
    card({"title": "one part", part: MULTIMODAL[part]}, tmp_path)

import copy

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

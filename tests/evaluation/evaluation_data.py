import numpy as np

from kerasft.evaluation import evaluate, linear_baselines
from kerasft.evaluation.errors import confident_errors
from kerasft.evaluation.pictures import image_uri
from kerasft.inputs.stack import Stack

HOSTILE = '<script>alert("x")</script><img src="http://example.com/a.png"> & \ud800 \x00 فيلم'


def scored(rows=200, classes=3, seed=0, sharpness=1.5):
    """Probabilities that are mostly right, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), truth] += sharpness
    powers = np.exp(logits)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), truth


def whole_result(classes=2, epochs=3, labels=None, synthetic=False):
    """Every part of a result, small; texts and labels that try to break out of the page."""
    labels = labels or [f"label {i}" for i in range(classes)]
    scores, truth = scored(300, classes, sharpness=2.0)
    metrics = evaluate(scores, truth, labels, resamples=50)
    texts = [f"{HOSTILE} {i}" for i in range(len(truth))]
    interval = [metrics["accuracy"] - 0.06, metrics["accuracy"] - 0.04]
    return {
        "title": "a run <b>",
        "labels": labels,
        "source": "csv:/home/somebody/reviews.csv",
        "synthetic": synthetic,
        "config": {"seed": 3, "data": "csv:/home/somebody/reviews.csv", "recipe": {"epochs": epochs}},
        "data": {
            "rows": {"train": 2000, "test": 300},
            "labels": {split: dict.fromkeys(labels, 7) for split in ("train", "test")},
            "duplicates": {"train": 4, "test": 0},
            "leaks": {"train/test": 12},
            "conflicts": 0,
            "warnings": ["12 texts are in both <train> and test."],
        },
        "model": {"parameters": 12_345},
        "history": [
            {
                "epoch": i + 1,
                "loss": 1 / (i + 1),
                "accuracy": 0.7,
                "val_loss": 0.6,
                "val_accuracy": 0.65,
                "seconds": 2.0,
            }
            for i in range(epochs)
        ],
        "schedule": [[step, 0.001 / (step + 1)] for step in range(1000)],
        "metrics": metrics,
        "baselines": {
            "majority": {"accuracy": 0.5, "accuracy_interval": [0.48, 0.52], "macro_f1": 0.3},
            "tfidf_logreg": {
                "accuracy": metrics["accuracy"] - 0.05,
                "accuracy_interval": interval,
                "macro_f1": 0.8,
                "fit_seconds": 12.5,
                "documents_per_second": 3000.0,
                "features": 1000,
                "fit_rows": 2000,
                "converged": True,
                "settings": "words",
            },
        },
        "errors": confident_errors(scores, truth, labels, texts, most=5),
        "parity": {
            "rows": 270,
            "hostile_rows": 14,
            "tolerance": 1e-5,
            "paths": {
                "SavedModel": {"rows": 270, "labels_equal": 270, "worst_difference": 2.5e-7},
                "ONNX": {"rows": 270, "labels_equal": 269, "worst_difference": 5.5e-7},
            },
        },
        "throughput": {"training": {"documents_per_second": 812.5}, "prediction": {"documents_per_second": 2345.6}},
        "environment": {"python": "3.11", "cores": 2, "versions": {"keras": "3.15.1"}},
        "commands": {"Answer a text": 'python -m apps.predict exported/x --text "A & B"'},
    }


def rows_of_all_kinds(rows, seed):
    """Columns of text, image, audio and tabular, and two targets: the text and the picture know one of them each."""
    random = np.random.default_rng(seed)
    side, level = random.integers(0, 2, rows), random.integers(0, 3, rows)
    image = random.integers(0, 60, (rows, 8, 6, 3)) + 60 * level[:, None, None, None]
    audio = random.normal(size=(rows, 12, 5))
    audio[:, :, 0] += 4 * side[:, None]
    audio[:, :, 1] += 4 * level[:, None]
    there = np.ones(rows, bool)
    columns = {
        "text": [f"{('left', 'right')[s]} {random.choice(['a', 'b', 'c'])}" for s in side],
        "image": Stack(image.astype(np.uint8), there),
        "audio": Stack(audio.astype(np.float32), there),
        "tabular": [
            {"size": float(value + random.normal() / 9), "shape": "round" if s else "flat", "none": None}
            for s, value in zip(side, level, strict=True)
        ],
    }
    return columns, {"side": side, "level": level}


def multimodal_result(labels=("left", "<i>right</i>")):
    """A result of four inputs and two targets, small, with pictures and hostile names."""
    train, train_labels = rows_of_all_kinds(60, 0)
    test, truth = rows_of_all_kinds(40, 1)
    test["text"] = [f"{HOSTILE} {text}" for text in test["text"]]
    test["tabular"] = [{**row, "<b>brand": HOSTILE} for row in test["tabular"]]
    truth["side"][:2] = -1
    compared = linear_baselines(train, train_labels, test, truth, model=truth)
    names = {"side": list(labels), "level": ["0", "1", "2"]}
    targets = {}
    for place, (target, words) in enumerate(names.items()):
        scores, _ = scored(40, len(words), place)
        targets["<u>" + target] = {
            "labels": words,
            "metrics": evaluate(scores, truth[target], words, resamples=20),
            "baselines": compared.targets[target],
            "errors": confident_errors(scores, truth[target], words, test),
        }

    def figures(share):
        return {**dict.fromkeys(targets, share), "mean": share}

    inputs = list(train)
    return {
        **{name: part for name, part in whole_result().items() if name not in ("labels", "errors")},
        "inputs": inputs,
        "targets": targets,
        "metrics": {"n": 40, "accuracy": 0.7, "macro_f1": 0.65},
        "baselines": compared.mean,
        "modalities": {
            "metric": "macro_f1",
            "rows": 40,
            "all": figures(0.65),
            "only": {name: figures(0.5) for name in inputs},
            "without": {name: figures(0.6) for name in inputs},
        },
        "augmentation": [
            {
                "title": "<i>Image</i>",
                "caption": "As seen & changed.",
                "images": [[image_uri(test["image"][0])] * 3] * 2,
            }
        ],
        "data": {
            "rows": {"train": 60, "test": 40},
            "labels": {
                split: {t: dict.fromkeys(words, 7) for t, words in names.items()} for split in ("train", "test")
            },
        },
    }

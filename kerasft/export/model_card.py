"""The model card: what was measured of a model, for whoever meets it later. No sentence is invented."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from kerasft.base.files import atomic_file
from kerasft.evaluation import shown
from kerasft.evaluation.result import RunResult

_MOST_LABELS = 50
_WEAKEST = 3
_BASELINES = {"tfidf_logreg": "tf-idf + logistic regression", "majority": "most frequent label"}
_METRICS = (
    ("accuracy", "Accuracy"),
    ("macro_precision", "Macro precision"),
    ("macro_recall", "Macro recall"),
    ("macro_f1", "Macro F1"),
    ("roc_auc", "ROC-AUC"),
    ("log_loss", "Log loss"),
    ("calibration_error", "Calibration error (15 bins)"),
)


def write_model_card(
    result: RunResult | Mapping[str, Any], path: str | Path, *, inputs: Sequence[str] = ("text",)
) -> None:
    """Writes MODEL_CARD.md in the form of Hugging Face model cards, from measured figures alone.

    Parts that are missing are left out; the licence is left to whoever publishes the model. No text of the
    data and no folder of the machine goes into the card.

    Args:
        result: a `RunResult`, or a mapping of its parts.
        path: the file to write; written atomically.
        inputs: names of the model's inputs, default one named "text".

    Raises:
        InputError: if the mapping holds a part that a result does not have.

    Example:
        export(learner, target, verify_on=rows.test, card=lambda folder, parity:
               write_model_card({**result, "parity": parity}, folder / "MODEL_CARD.md"))
    """
    with atomic_file(path, "wb") as file:
        file.write(model_card(RunResult.of(result), inputs).encode("utf-8", "replace"))


def model_card(result: RunResult, inputs: Sequence[str] = ("text",)) -> str:
    """The card as a string."""
    sections = (_head, _data, _training, _figures, _limits, _parity)
    lines = [_front_matter(result)]
    for section in sections:
        lines += section(result)
    lines += _usage(inputs, result.title)
    lines += ["", "## Licence", "", "Not set. Whoever publishes this model chooses it, in keeping with its data.", ""]
    return "\n".join(lines)


def _front_matter(result: RunResult) -> str:
    source = _source(result.source) if result.source else None
    metrics = result.metrics or {}
    measured = [
        {"type": name, "name": title, "value": round(metrics[name], 6)}
        for name, title in _METRICS
        if metrics.get(name) is not None
    ]
    facts: dict[str, Any] = {
        "pipeline_tag": "text-classification",
        "library_name": "keras",
        "tags": ["kerasft", "keras", "onnx", *(["synthetic-data"] if result.synthetic else [])],
    }
    if measured and source:
        name = f"{source} (synthetic)" if result.synthetic else source
        one = {
            "task": {"type": "text-classification"},
            "dataset": {"name": name, "type": source, "split": "test"},
            "metrics": measured,
        }
        facts["model-index"] = [{"name": result.title, "results": [one]}]
    return f"---\n{yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)}---"


def _head(result: RunResult) -> Iterator[str]:
    yield from ("", f"# {_plain(result.title)}", "")
    facts = [_plain(result.task)]
    facts += [f"{len(result.labels)} labels"] if result.labels else []
    facts += [f"{shown.number(value)} {_plain(shown.words(name))}" for name, value in (result.model or {}).items()]
    yield ", ".join(facts) + "."
    if result.synthetic:
        yield from ("", "**Synthetic data.** Every figure on this card comes from generated texts. It says whether")
        yield "the machinery works, and nothing about real texts."
    if result.labels:
        names = [f"`{_code(label)}`" for label in result.labels[:_MOST_LABELS]]
        more = len(result.labels) - len(names)
        yield from ("", f"Labels: {', '.join(names)}{f' and {more} more' if more else ''}.")


def _data(result: RunResult) -> Iterator[str]:
    if not (result.data or result.source):
        return
    yield from ("", "## Data", "")
    if result.source:
        yield f"Source: `{_code(_source(result.source))}`{', generated' if result.synthetic else ''}."
    if not result.data:
        return
    rows = {split: n for split, n in (result.data.get("rows") or {}).items() if isinstance(n, int)}
    if rows:
        yield ""
        yield from _table(["", *rows], [["rows", *(f"{n:,}" for n in rows.values())]])


def _training(result: RunResult) -> Iterator[str]:
    if not (result.config or result.history):
        return
    yield from ("", "## Training", "")
    if result.history:
        epochs, spent = len(result.history), sum(row.get("seconds") or 0 for row in result.history)
        yield (
            f"{epochs} {'epoch' if epochs == 1 else 'epochs'} in {shown.seconds(float(spent))} of training."
            + _machine(result.environment)
        )
        yield ""
    if result.config:
        pairs = [(name, str(value)) for name, value in shown.flat(result.config)]
        # Folders say nothing about the model, and something about the machine.
        rows = [[f"`{_code(name)}`", f"`{_code(value)}`"] for name, value in pairs if not re.search(r"[\\/]", value)]
        yield from _table(["option", "value"], rows)


def _machine(environment: Mapping[str, Any] | None) -> str:
    if not environment:
        return ""
    parts = [f"{environment['cores']} cores"] if environment.get("cores") else []
    parts += [str(environment["cpu"])] if environment.get("cpu") else []
    versions = environment.get("versions") or {}
    parts += [f"{name} {versions[name]}" for name in ("keras", "tensorflow") if name in versions]
    return f" Machine: {_plain(', '.join(parts))}." if parts else ""


def _figures(result: RunResult) -> Iterator[str]:
    metrics = result.metrics
    if not metrics:
        return
    yield from ("", f"## Measured on the test split{' (synthetic data)' if result.synthetic else ''}", "")
    order = sorted((result.baselines or {}).items(), key=lambda pair: -pair[1].get("accuracy", 0))
    baselines = dict(order)
    rows = []
    for name, title in _METRICS:
        if name in metrics:
            others = [_figure(name, one.get(name)) for one in baselines.values()]
            rows.append([title, _figure(name, metrics[name], metrics.get(f"{name}_interval")), *others])
    yield from _table(["", "this model", *(_BASELINES.get(key, _plain(key)) for key in baselines)], rows)
    count = f"{metrics['n']:,} test rows. " if metrics.get("n") else ""
    yield from ("", f"{count}In brackets: 95% bootstrap intervals. {result.verdict()[1]}")


def _figure(name: str, value: float | None, interval: Any = None) -> str:
    if value is None:
        return "–"
    words = f"{value:.4f}" if name in ("roc_auc", "log_loss") else shown.percent(value)
    return f"{words} ({shown.interval(interval, 2)})" if interval else words


def _limits(result: RunResult) -> Iterator[str]:
    found = list(_found(result))
    if found:
        yield from ("", "## Limits found", "", *(f"- {line}" for line in found))


def _found(result: RunResult) -> Iterator[str]:
    data, metrics = result.data or {}, result.metrics or {}
    for name, words in (("duplicates", "rows repeat the text of another"), ("leaks", "texts are in both splits")):
        counts = data.get(name) if isinstance(data.get(name), Mapping) else {}
        places = [f"{_plain(place)} {n:,}" for place, n in counts.items() if isinstance(n, int) and n]
        if places:
            yield f"{words.capitalize()}: {', '.join(places)}."
    if data.get("conflicts"):
        yield f"Train texts under more than one label: {data['conflicts']:,}."
    per_class = [row for row in metrics.get("per_class") or [] if row["support"]]
    weakest = sorted(per_class, key=lambda row: row["f1"])[:_WEAKEST]
    if len(per_class) > 1:
        listed = ", ".join(f"`{_code(row['label'])}` {shown.percent(row['f1'], 1)}" for row in weakest)
        yield f"Labels with the lowest F1: {listed}."
    pairs = metrics.get("top_confusions") or []
    if pairs:
        pair = pairs[0]
        mistaken = f"`{_code(pair['true'])}` taken for `{_code(pair['predicted'])}`"
        yield f"Most frequent confusion: {mistaken}, {pair['count']:,} {'row' if pair['count'] == 1 else 'rows'}."
    if result.errors:
        worst = max(error["score"] for error in result.errors)
        yield f"The most confident wrong answer had a score of {shown.percent(worst)}."


def _parity(result: RunResult) -> Iterator[str]:
    paths = (result.parity or {}).get("paths")
    if not paths:
        return
    yield from ("", "## Export parity", "")
    yield "Held-out and hostile rows through every exported path, compared with the trained model."
    yield ""
    rows = [
        [_plain(name), shown.number(one.get("rows")), shown.number(one.get("labels_equal")), _tiny(one)]
        for name, one in paths.items()
    ]
    yield from _table(["path", "rows", "labels equal", "worst score difference"], rows)
    if result.parity.get("tolerance"):
        yield from ("", f"Tolerance: {result.parity['tolerance']:g}.")


def _tiny(path: Mapping[str, Any]) -> str:
    return f"{path['worst_difference']:.1e}" if "worst_difference" in path else "–"


def _usage(inputs: Sequence[str], title: str) -> Iterator[str]:
    single = len(inputs) == 1
    columns = '["A text."]' if single else "{" + ", ".join(f'"{name}": ["A text."]' for name in inputs) + "}"
    instance = ", ".join(f'"{name}": "A text."' for name in inputs)
    name = re.sub(r"[^\w.-]+", "_", title) or "model"
    yield from ("", "## Use", "", "Without TensorFlow and Keras, on the folder that holds the version folders:", "")
    yield from ("```python", "from kerasft.runtime import Predictor", "")
    yield from (f'Predictor("{name}")({columns})', "```", "")
    yield "With TensorFlow Serving, signature `serving_default` (strings in; `scores` and `label` out):"
    yield from ("", "```", f"POST /v1/models/{name}:predict", f'{{"instances": [{{{instance}}}]}}', "```", "")
    yield "The signature `tokens` takes token ids, int32 [batch, time], padded on the right with 0."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        # A bare pipe would end the cell, in a code span too.
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _source(source: str) -> str:
    """The spec without the folders of this machine: "csv:/data/mine/reviews.csv" is "csv:reviews.csv"."""
    kind, colon, place = source.partition(":")
    if not colon or kind == "tfds":
        return source
    return kind + ":" + re.split(r"[\\/]", place.rstrip("\\/"))[-1]


def _plain(text: Any) -> str:
    """Text that means nothing to Markdown or HTML."""
    text = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: Any) -> str:
    """Text for a code span."""
    return " ".join(str(text).split()).replace("`", "'")

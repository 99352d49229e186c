"""The model card: what was measured of a model, for whoever meets it later. No sentence is invented."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from kerasft.base.files import atomic_file
from kerasft.evaluation import shown
from kerasft.evaluation.result import RunResult
from kerasft.evaluation.verdict import best_linear
from kerasft.export.card_inputs import inputs_section, kinds_of, modalities_section, usage_section
from kerasft.export.card_variants import variants_section
from kerasft.export.card_words import code, plain, table

_MOST_LABELS = 50
_WEAKEST = 3
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
    result: RunResult | Mapping[str, Any], path: str | Path, *, inputs: Sequence[str] | None = None
) -> None:
    """Writes MODEL_CARD.md in the form of Hugging Face model cards, from measured figures alone.

    Parts that are missing are left out; the licence is left to whoever publishes the model. No text of the
    data and no folder of the machine goes into the card.

    Args:
        result: a `RunResult`, or a mapping of its parts.
        path: the file to write; written atomically.
        inputs: names of the model's inputs; default those of the result, and else one named "text".

    Raises:
        InputError: if the mapping holds a part that a result does not have.

    Example:
        export(learner, target, verify_on=rows.test, card=lambda folder, parity:
               write_model_card({**result, "parity": parity}, folder / "MODEL_CARD.md"))
    """
    with atomic_file(path, "wb") as file:
        file.write(model_card(RunResult.of(result), inputs).encode("utf-8", "replace"))


def model_card(result: RunResult, inputs: Sequence[str] | None = None) -> str:
    """The card as a string."""
    kinds = kinds_of(result, inputs)
    lines = [_front_matter(result, kinds), *_head(result, kinds), *inputs_section(result, kinds)]
    for section in (_data, _training, _figures, _targets, modalities_section, _limits, _parity):
        lines += section(result)
    lines += usage_section(result, kinds, result.title)
    lines += ["", "## Licence", "", "Not set. Whoever publishes this model chooses it, in keeping with its data.", ""]
    return "\n".join(lines)


def _front_matter(result: RunResult, kinds: Mapping[str, str]) -> str:
    source = _source(result.source) if result.source else None
    metrics = result.metrics or {}
    measured = [
        {"type": name, "name": title, "value": round(metrics[name], 6)}
        for name, title in _METRICS
        if metrics.get(name) is not None
    ]
    kind = set(kinds.values())
    pipeline = f"{next(iter(kind))}-classification" if len(kind) == 1 else None  # there is none for several kinds
    tags = ["kerasft", "keras", "onnx", *([] if pipeline else ["multimodal", *sorted(kind)])]
    facts: dict[str, Any] = {
        **({"pipeline_tag": pipeline} if pipeline else {}),
        "library_name": "keras",
        "tags": [*tags, *(["synthetic-data"] if result.synthetic else [])],
    }
    if measured and source:
        name = f"{source} (synthetic)" if result.synthetic else source
        one = {
            "task": {"type": pipeline or "other"},
            "dataset": {"name": name, "type": source, "split": "test"},
            "metrics": measured,
        }
        facts["model-index"] = [{"name": result.title, "results": [one]}]
    return f"---\n{yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)}---"


def _head(result: RunResult, kinds: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"# {plain(result.title)}", "")
    facts = [plain(result.task)]
    facts += [f"{len(result.labels)} labels"] if result.labels else []
    facts += [f"{shown.number(value)} {plain(shown.words(name))}" for name, value in (result.model or {}).items()]
    yield ", ".join(facts) + "."
    if result.synthetic:
        what = "texts" if set(kinds.values()) == {"text"} else "rows"
        yield from ("", f"**Synthetic data.** Every figure on this card comes from generated {what}. It says whether")
        yield f"the machinery works, and nothing about real {what}."
    if result.several:
        yield ""
        for name, part in (result.targets or {}).items():
            yield f"- Target `{code(name)}`: {_labels(part.get('labels') or [])}."
    elif result.labels:
        yield from ("", f"Labels: {_labels(result.labels)}.")


def _labels(labels: Sequence[str]) -> str:
    names = [f"`{code(label)}`" for label in labels[:_MOST_LABELS]]
    more = len(labels) - len(names)
    return f"{', '.join(names)}{f' and {more} more' if more else ''}"


def _data(result: RunResult) -> Iterator[str]:
    if not (result.data or result.source):
        return
    yield from ("", "## Data", "")
    if result.source:
        yield f"Source: `{code(_source(result.source))}`{', generated' if result.synthetic else ''}."
    if not result.data:
        return
    rows = {split: n for split, n in (result.data.get("rows") or {}).items() if isinstance(n, int)}
    if rows:
        yield ""
        yield from table(["", *rows], [["rows", *(f"{n:,}" for n in rows.values())]])


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
        rows = [[f"`{code(name)}`", f"`{code(value)}`"] for name, value in pairs if not re.search(r"[\\/]", value)]
        yield from table(["option", "value"], rows)


def _machine(environment: Mapping[str, Any] | None) -> str:
    if not environment:
        return ""
    parts = [f"{environment['cores']} cores"] if environment.get("cores") else []
    parts += [str(environment["cpu"])] if environment.get("cpu") else []
    versions = environment.get("versions") or {}
    parts += [f"{name} {versions[name]}" for name in ("keras", "tensorflow") if name in versions]
    return f" Machine: {plain(', '.join(parts))}." if parts else ""


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
    yield from table(["", "this model", *(plain(shown.baseline(key)) for key in baselines)], rows)
    count = f"{metrics['n']:,} test rows. " if metrics.get("n") else ""
    said = "Means over the targets" if result.several else "In brackets: 95% bootstrap intervals"
    yield from ("", f"{count}{said}. {plain(result.verdict()[1])}")


def _targets(result: RunResult) -> Iterator[str]:
    """The figures of each of several targets, beside the best linear baseline."""
    if not result.several:
        return
    rows = []
    for name, part in (result.targets or {}).items():
        metrics = part.get("metrics") or {}
        rival, best = best_linear(part.get("baselines") or {}, "macro_f1")
        rows.append(
            [
                f"`{code(name)}`",
                shown.number(metrics.get("n")),
                *(_figure(key, metrics.get(key), metrics.get(f"{key}_interval")) for key in ("accuracy", "macro_f1")),
                f"{shown.percent(best['macro_f1'])} ({plain(shown.baseline(rival))})" if rival else "–",
            ]
        )
    yield from ("", "By target, with 95% bootstrap intervals:", "")
    yield from table(["target", "rows", "accuracy", "macro F1", "best linear macro F1"], rows)


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
        places = [f"{plain(place)} {n:,}" for place, n in counts.items() if isinstance(n, int) and n]
        if places:
            yield f"{words.capitalize()}: {', '.join(places)}."
    if data.get("conflicts"):
        kind = "texts" if result.inputs in ([], ["text"]) else "rows"
        yield f"Train {kind} under more than one label: {data['conflicts']:,}."
    if result.several:
        for name, part in (result.targets or {}).items():
            for line in _weak_spots(part.get("metrics") or {}, part.get("errors")):
                yield f"`{code(name)}`: {line[0].lower()}{line[1:]}"
        return
    yield from _weak_spots(metrics, result.errors)


def _weak_spots(metrics: Mapping[str, Any], errors: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """What a target is worst at."""
    if metrics.get("unlabelled"):
        yield f"Test rows without a label, left out: {metrics['unlabelled']:,}."
    per_class = [row for row in metrics.get("per_class") or [] if row["support"]]
    weakest = sorted(per_class, key=lambda row: row["f1"])[:_WEAKEST]
    if len(per_class) > 1:
        listed = ", ".join(f"`{code(row['label'])}` {shown.percent(row['f1'], 1)}" for row in weakest)
        yield f"Labels with the lowest F1: {listed}."
    pairs = metrics.get("top_confusions") or []
    if pairs:
        pair = pairs[0]
        mistaken = f"`{code(pair['true'])}` taken for `{code(pair['predicted'])}`"
        yield f"Most frequent confusion: {mistaken}, {pair['count']:,} {'row' if pair['count'] == 1 else 'rows'}."
    if errors:
        worst = max(error["score"] for error in errors)
        yield f"The most confident wrong answer had a score of {shown.percent(worst)}."


def _parity(result: RunResult) -> Iterator[str]:
    paths = (result.parity or {}).get("paths")
    if not paths:
        return
    yield from ("", "## Export parity", "")
    yield "Held-out and hostile rows through every exported path, compared with the trained model."
    yield ""
    rows = [
        [plain(name), shown.number(one.get("rows")), shown.number(one.get("labels_equal")), _tiny(one)]
        for name, one in paths.items()
    ]
    yield from table(["path", "rows", "labels equal", "worst score difference"], rows)
    if result.parity.get("tolerance"):
        yield from ("", f"Tolerance: {result.parity['tolerance']:g}.")
    mixed = result.parity.get("trained_in_mixed_precision")
    if mixed:
        yield from ("", "Trained in mixed precision and exported in float32: the same weights gave the same label for")
        equal, apart = f"{mixed['labels_equal']:,} of {mixed['rows']:,} rows", f"{mixed['worst_difference']:.1e}"
        yield f"{equal}, scores at most {apart} apart."
    yield from variants_section(result.parity.get("variants") or {})


def _tiny(path: Mapping[str, Any]) -> str:
    return f"{path['worst_difference']:.1e}" if "worst_difference" in path else "–"


def _source(source: str) -> str:
    """The spec without the folders of this machine: "csv:/data/mine/reviews.csv" is "csv:reviews.csv"."""
    kind, colon, place = source.partition(":")
    if not colon or kind == "tfds":
        return source
    return kind + ":" + re.split(r"[\\/]", place.rstrip("\\/"))[-1]

"""How figures are written for people: the same in the report and in the model card."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

SPLITS = ("train", "validation", "test", "unsup")
_SHARES = ("accuracy", "share", "waiting", "precision", "recall", "f1", "calibration_error")
_LEAST_EXPONENT = 1e-4


def percent(value: float | None, digits: int = 2) -> str:
    """A share as a percentage: 0.9092 is "90.92%"; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.{digits}f}%"


def interval(pair: Any, digits: int = 1) -> str:
    """A pair of shares: [0.905, 0.913] is "90.5–91.3%"."""
    return "" if not pair else f"{100 * pair[0]:.{digits}f}–{100 * pair[1]:.{digits}f}%"


def number(value: Any) -> str:
    """A number short enough to read: thousands apart, four digits that count."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < _LEAST_EXPONENT:
        return f"{value:.1e}"
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def seconds(value: float | None) -> str:
    """A duration: "0.8 s", "42 s", "3 min 20 s", "2 h 5 min"."""
    if value is None:
        return "–"
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def named(name: str, value: Any) -> str:
    """A value written as its name asks: shares in percent, durations in time, the rest as numbers."""
    if isinstance(value, list | tuple):
        return ", ".join(number(one) for one in value) if value else "none"
    if isinstance(value, float):
        last = name.rpartition("_")[2] if not name.endswith(("f1", "calibration_error")) else name
        if last in _SHARES or name.endswith(_SHARES):
            return percent(value)
        if name.endswith("seconds"):
            return seconds(value)
    return number(value)


def words(name: str) -> str:
    """A key as words: "documents_per_second" is "documents per second"."""
    return str(name).replace("_", " ").replace(".", " › ")


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as (dotted name, value) pairs, in order."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


_BASELINES = {
    "tfidf_logreg": "tf-idf + logistic regression",
    "pixel_logreg": "pixels + logistic regression",
    "feature_logreg": "sound features + logistic regression",
    "column_logreg": "columns + logistic regression",
    "joint_logreg": "all inputs + logistic regression",
    "majority": "most frequent label",
}


def baseline(key: str) -> str:
    """A baseline's name for people: "pixel_logreg:front" is "pixels + logistic regression (front)"."""
    name, _, place = key.partition(":")
    return _BASELINES.get(name, words(name)) + (f" ({place})" if place else "")


def by_split(data: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, list[str]]], list[tuple[str, Any]]]:
    """Sorts data checks into a table with a column a split, and what does not fit one.

    A check belongs in the table where it is a mapping by split ({"empty": {"train": 2, "test": 0}}), or a
    mapping of counts by split ({"labels": {"train": {"good": 5}, "test": {"good": 2}}}): a row a label; or, of
    several targets, a mapping of such mappings by split ({"labels": {"train": {"season": {"Fall": 5}}}}).

    Args:
        data: `Rows.checks`.

    Returns:
        Names of the splits; rows of (name, values as text); and (name, value) pairs of the rest.
    """
    columns = [s for s in SPLITS if any(isinstance(v, Mapping) and s in v for v in data.values())]
    rows: list[tuple[str, list[str]]] = []
    rest: list[tuple[str, Any]] = []
    # What a person asks first: how many rows, of which label. The labels of several targets are many: they come last.
    nested = any(isinstance(part, Mapping) for split in _parts(data.get("labels")) for part in _parts(split))
    order = {"rows": 0, "labels": 2 if nested else 0}
    for name in sorted(data, key=lambda key: order.get(key, 1)):
        value = data[name]
        if name == "warnings":
            continue
        if not isinstance(value, Mapping) or not value or not set(value) <= set(SPLITS):
            rest += flat({name: value})
        elif any(isinstance(part, Mapping) for part in value.values()):
            parts = {split: dict(_deep(part)) if isinstance(part, Mapping) else {} for split, part in value.items()}
            for keys in dict.fromkeys(keys for part in parts.values() for keys in part):
                cells = [named(name, parts.get(split, {}).get(keys)) for split in columns]
                rows.append((f"{words(name)}: {': '.join(map(str, keys))}", cells))
        else:
            rows.append((words(name), [named(name, value.get(split)) for split in columns]))
    return columns, rows, rest


def _parts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else []


def _deep(value: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Nested mappings as (names, value) pairs, in order."""
    for name, part in value.items():
        if isinstance(part, Mapping):
            yield from _deep(part, (*before, name))
        else:
            yield (*before, name), part

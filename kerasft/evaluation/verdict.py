"""Does a model beat the linear baselines, or could it be chance?"""

from collections.abc import Mapping
from typing import Any

from kerasft.evaluation import shown

BEATS, WITHIN, BELOW, UNKNOWN = "beats", "within", "below", "unknown"
_SURE = 0.05


def judge(
    metrics: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]], several: bool = False
) -> tuple[str, str]:
    """Compares a model with the best of its linear baselines, in a word and in words.

    One target is judged by accuracy: with McNemar's exact test (p below 0.05) where both models' answers are
    known, and else by whether the whole 95% interval of the model lies above the baseline's accuracy. Several
    targets are judged by the mean of their macro F1: with a paired bootstrap (the whole 95% interval of the
    difference above zero), and without the answers not at all. The best baseline is the best on these very test
    rows, which favours it.

    Args:
        metrics: accuracy, accuracy_interval and macro_f1 of the model.
        baselines: figures by baseline; all but "majority" are linear models.
        several: whether the figures are means over several targets.

    Returns:
        "beats", "within", "below" or "unknown"; and a sentence.

    Example:
        >>> judge({"accuracy": 0.8}, {"tfidf_logreg": {"accuracy": 0.9}})
        ('below', 'Does not beat the linear baseline (by 10.00 points).')
    """
    figure = "macro_f1" if several else "accuracy"
    name, best = best_linear(baselines, figure)
    if metrics.get(figure) is None or name is None:
        return UNKNOWN, "No linear baseline was measured beside this run."
    gap = metrics[figure] - best[figure]
    rival = _rival(name, baselines, several)
    points = f"{abs(100 * gap):.2f} points" + (" of mean macro F1" if several else "")
    if gap <= 0:
        return BELOW, f"Does not beat {rival} ({f'by {points}' if gap < 0 else f'of equal {_words(several)}'})."
    if several:
        return _by_bootstrap(rival, points, best)
    return _by_accuracy(rival, points, metrics, best)


def best_linear(baselines: Mapping[str, Mapping[str, Any]], figure: str) -> tuple[str | None, Mapping[str, Any]]:
    """The linear baseline with the highest figure, and its figures; (None, {}) where there is none."""
    known = {name: one for name, one in baselines.items() if name != "majority" and one.get(figure) is not None}
    if not known:
        return None, {}
    name = max(known, key=lambda one: known[one][figure])
    return name, known[name]


def _by_accuracy(rival: str, points: str, metrics: Mapping[str, Any], best: Mapping[str, Any]) -> tuple[str, str]:
    test = (best.get("paired") or {}).get("accuracy")
    if test is not None:
        found = f"McNemar's exact test: p = {_p(test['p'])}"
        if test["p"] < _SURE:
            return BEATS, f"Beats {rival} by {points} ({found})."
        return WITHIN, f"{points} above {rival}, which may be chance ({found})."
    low, _ = metrics.get("accuracy_interval") or (metrics["accuracy"], None)
    if low > best["accuracy"]:
        return BEATS, f"Beats {rival} by {points}."
    return WITHIN, f"{points} above {rival}, which lies within the 95% interval."


def _by_bootstrap(rival: str, points: str, best: Mapping[str, Any]) -> tuple[str, str]:
    test = (best.get("paired") or {}).get("macro_f1")
    if test is None:
        return WITHIN, f"{points} above {rival}; whether by chance was not tested."
    low, high = (100 * value for value in test["interval"])
    found = f"paired bootstrap: {low:+.2f} to {high:+.2f} points in 95 of 100 draws"
    if low > 0:
        return BEATS, f"Beats {rival} by {points} ({found})."
    return WITHIN, f"{points} above {rival}, which may be chance ({found})."


def _rival(name: str, baselines: Mapping[str, Any], several: bool) -> str:
    linear = [one for one in baselines if one != "majority"]
    if len(linear) == 1:
        return "the linear baseline"
    return f"the best linear baseline ({shown.baseline(name)})"


def _words(several: bool) -> str:
    return "mean macro F1" if several else "accuracy"


def _p(value: float) -> str:
    return f"{value:.1e}" if value < 0.001 else f"{value:.3f}"

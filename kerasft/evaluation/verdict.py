"""Does a model beat the linear baselines, or could it be chance?"""

from collections.abc import Mapping
from typing import Any

from kerasft.evaluation import shown
from kerasft.evaluation.confusion import FEW_ROWS

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
        ('below', '10.00 points below the linear baseline.')
    """
    word, sentence = _judged(metrics, baselines, several)
    return word, sentence + few_rows(metrics)


def few_rows(metrics: Mapping[str, Any]) -> str:
    """A sentence, with a space before it, where the test rows are too few to say much; else nothing.

    Args:
        metrics: n, and accuracy_interval of one target.
    """
    rows, interval = metrics.get("n"), metrics.get("accuracy_interval")
    if rows is None or rows >= FEW_ROWS:
        return ""
    told = f" {rows:,} test {'row says' if rows == 1 else 'rows say'} little"
    if interval is None:
        return f"{told}: measure on more before trusting this."
    low, high = interval
    return f"{told}: the accuracy lies between {100 * low:.0f}% and {100 * high:.0f}% (95% interval)."


def _judged(metrics: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]], several: bool) -> tuple[str, str]:
    figure = "macro_f1" if several else "accuracy"
    name, best = best_linear(baselines, figure)
    if metrics.get(figure) is None or name is None:
        return UNKNOWN, "No linear baseline was measured beside this run."
    gap = metrics[figure] - best[figure]
    rival = _rival(name, baselines, several)
    points = f"{abs(100 * gap):.2f} points" + (" of mean macro F1" if several else "")
    if gap == 0:
        return BELOW, f"Of the same {_words(several)} as {rival}: does not beat it."
    if several:
        return _by_bootstrap(rival, points, best, gap > 0)
    return _by_accuracy(rival, points, metrics, best, gap > 0)


def best_linear(baselines: Mapping[str, Mapping[str, Any]], figure: str) -> tuple[str | None, Mapping[str, Any]]:
    """The linear baseline with the highest figure, and its figures; (None, {}) where there is none."""
    known = {name: one for name, one in baselines.items() if name != "majority" and one.get(figure) is not None}
    if not known:
        return None, {}
    name = max(known, key=lambda one: known[one][figure])
    return name, known[name]


def _by_accuracy(
    rival: str, points: str, metrics: Mapping[str, Any], best: Mapping[str, Any], above: bool
) -> tuple[str, str]:
    test = (best.get("paired") or {}).get("accuracy")
    if test is not None:
        return _told(rival, points, f"McNemar's exact test: p = {_p(test['p'])}", test["p"] < _SURE, above)
    low, high = metrics.get("accuracy_interval") or (metrics["accuracy"], metrics["accuracy"])
    if not above:
        chance = ", which lies within the 95% interval" if high >= best["accuracy"] > metrics["accuracy"] else ""
        return BELOW, f"{points} below {rival}{chance}."
    if low > best["accuracy"]:
        return BEATS, f"Beats {rival} by {points}."
    return WITHIN, f"{points} above {rival}, which lies within the 95% interval."


def _by_bootstrap(rival: str, points: str, best: Mapping[str, Any], above: bool) -> tuple[str, str]:
    test = (best.get("paired") or {}).get("macro_f1")
    if test is None:
        if not above:
            return BELOW, f"{points} below {rival}."
        return WITHIN, f"{points} above {rival}; whether by chance was not tested."
    low, high = (100 * value for value in test["interval"])
    found = f"paired bootstrap: {low:+.2f} to {high:+.2f} points in 95 of 100 draws"
    return _told(rival, points, found, low > 0 if above else high < 0, above)


def _told(rival: str, points: str, found: str, sure: bool, above: bool) -> tuple[str, str]:
    """The verdict where both models' answers were compared: a loss is told as a win is."""
    if above and sure:
        return BEATS, f"Beats {rival} by {points} ({found})."
    side = "above" if above else "below"
    return WITHIN if above else BELOW, f"{points} {side} {rival}{'' if sure else ', which may be chance'} ({found})."


def _rival(name: str, baselines: Mapping[str, Any], several: bool) -> str:
    linear = [one for one in baselines if one != "majority"]
    if len(linear) == 1:
        return "the linear baseline"
    return f"the best linear baseline ({shown.baseline(name)})"


def _words(several: bool) -> str:
    return "mean macro F1" if several else "accuracy"


def _p(value: float) -> str:
    return f"{value:.1e}" if value < 0.001 else f"{value:.3f}"

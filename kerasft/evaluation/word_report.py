"""The page of a run that learned word vectors: one HTML file that needs nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.files import atomic_file
from kerasft.evaluation import shown
from kerasft.evaluation.charts import Series, line_chart
from kerasft.evaluation.report import page_environment, style_sheet
from kerasft.evaluation.word_map import word_map


def write_word_report(
    path: str | Path,
    title: str,
    facts: Mapping[str, Any],
    config: Mapping[str, Any],
    places: tuple[Sequence[str], np.ndarray] | None,
) -> None:
    """Writes nearest words, measures, a map and the course of learning.

    Args:
        path: the file to write, atomically.
        title: the heading.
        facts: algorithm, dimension, words, corpus_words, source, synthetic, neighbours, similarity, analogies and
            history (rows with step, loss, rate), as the run measured them.
        config: the resolved options.
        places: words and float [words, 2], where a map has them; None for no map.
    """
    history = facts["history"]
    losses = [(row["step"], row["loss"]) for row in history]
    told = {
        name: facts[name]
        for name in ("algorithm", "mode", "dimension", "window", "words", "corpus_words", "seed")
        if name in facts
    }
    if history:
        told["seconds of learning"] = round(sum(row["seconds"] for row in history), 1)
    page = (
        page_environment()
        .get_template("words.html.jinja")
        .render(
            css=style_sheet(),
            title=title,
            map=None if places is None else word_map(*places),
            mapped=0 if places is None else len(places[0]),
            curve=line_chart("Loss", [Series("loss", losses, "train")], "step", lambda y: f"{y:.3g}"),
            facts=list(told.items()),
            config=[(name, str(value)) for name, value in shown.flat(config)],
            **{name: facts[name] for name in _SHOWN},
        )
    )
    with atomic_file(path, "wb") as file:
        file.write(page.encode("utf-8", "replace"))  # a lone surrogate in a word has no UTF-8 form


_SHOWN = (
    "algorithm",
    "dimension",
    "words",
    "corpus_words",
    "source",
    "synthetic",
    "neighbours",
    "similarity",
    "analogies",
)

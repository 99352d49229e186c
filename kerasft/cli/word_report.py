"""What a run that learned word vectors leaves for people: a page and a card."""

from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kerasft.evaluation.word_report import write_word_report as write_page
from kerasft.pretrain.words.vectors import WordVectors

_MAPPED = 500  # words; more are a cloud
_LEAST = 10


def write_word_report(
    path: Path, vectors: WordVectors, facts: dict[str, Any], config: dict[str, Any], app: str
) -> None:
    """Writes report.html, with a t-SNE map of the most frequent words."""
    write_page(path, app, facts, config, _places(vectors, facts["seed"]))


def _places(vectors: WordVectors, seed: int) -> tuple[list[str], np.ndarray] | None:
    words = [word for word in vectors.words[: 2 * _MAPPED] if any(map(str.isalnum, word))][:_MAPPED]
    if len(words) < _LEAST:
        return None
    from sklearn.manifold import TSNE

    rows = np.array([vectors.index[word] for word in words])
    perplexity = min(30.0, (len(words) - 1) / 3)
    drawn = TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=seed)
    # Its threads wait for each other a thousand times: beside other work, two took 43 s for 380 words.
    with threadpool_limits(1):
        return words, drawn.fit_transform(vectors.unit(rows))


def word_card(name: str, facts: dict[str, Any], parity: dict[str, Any]) -> str:
    """What the vectors are, what they were made of and what they were measured on, as Markdown."""
    synthetic = " The texts were generated; the vectors say nothing of real words." if facts["synthetic"] else ""
    lines = [
        f"| {name} | Spearman {one['spearman']:.3f} on {one['covered']} of {one['pairs']} pairs |"
        for name, one in facts["similarity"].items()
        if one["spearman"] is not None
    ]
    for asked, parts in facts["analogies"].items():
        total = parts["total"]
        if total["accuracy"] is not None:
            right = f"{total['accuracy']:.1%} right of {total['covered']:,} of {total['questions']:,}"
            lines.append(f"| {asked} | {right} |")
    table = "\n".join(["| measured on | |", "| --- | --- |", *lines, ""]) if lines else ""
    mode = f", {facts['mode']}" if "mode" in facts else ""
    return f"""# {name}

{facts["words"]:,} word vectors of {facts["dimension"]} numbers ({facts["algorithm"]}{mode}, window {facts["window"]}),
learned from {", ".join(f"{n:,} {split}" for split, n in facts["texts"].items())} texts of `{facts["source"]}`, \
{facts["corpus_words"]:,} words; {facts["left_out"]}.{synthetic}

Served is the mean of the vectors of a text's first 400 words, which of one word is its own; words without a vector do
not count, and a text of such words alone is answered with zeros. Proved on {parity["rows"]:,} rows: every path within
{parity["worst_difference"]:.1e} of the table.

`vectors/vectors.npy` has a row for each line of `vectors/vocabulary.txt`. Neighbours:
`python -m apps.word_vectors --neighbours WORD --vectors {name}`.

{table}
Vectors of words hold the prejudices of the texts that they come from.
"""

"""From texts to word vectors: learned, measured, published in a proved bundle."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kerasft.base.files import content_hash, write_json
from kerasft.base.terminal import terminal
from kerasft.cli.app import start_backend
from kerasft.cli.config import told
from kerasft.cli.telling import export_named, tell_places, tell_texts
from kerasft.cli.vector_options import LearnOptions, VectorPlaces
from kerasft.cli.word_corpus import WordCorpus, make_word_corpus
from kerasft.cli.word_measures import looked_at, measure_files, measured
from kerasft.evaluation.environment import environment
from kerasft.pretrain.words.continuing import check_continued, joined_subwords, start_tables
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.glove import GloVe
from kerasft.pretrain.words.learning import Learning, learn
from kerasft.pretrain.words.store import FOLDER, Learned, find_learned, load_vectors
from kerasft.pretrain.words.subwords import Subwords
from kerasft.pretrain.words.word2vec import Word2Vec

_VERIFIED = 1_000


def learn_and_publish(
    texts: Any, options: LearnOptions, places: VectorPlaces, *, config: Any, run: Path, app: str
) -> Path:
    """Takes texts to a run folder with a report and a published, verified bundle of word vectors.

    Every step can be repeated: a run that was stopped goes on, and one that has ended is only exported again.

    Returns:
        The published version.

    Raises:
        InputError: as its steps do; then no bundle was published.
    """
    console, cache = terminal(), run / "cache"
    target = places.export or default_export(texts.source)
    asked = ({}, {}) if places.measure is None else measure_files(places.measure)
    before = None if places.resume_from is None else learned_before(places.resume_from)
    if before is not None:
        check_continued(before, options.algorithm, options.dimension, str(places.resume_from))
    _check_target(target)  # before hours are spent on learning
    tell_texts(texts, console)
    corpus = make_word_corpus(texts, options, before, cache, console)
    console.print(f"{len(corpus.ids.values):,} words, {len(corpus.words):,} different ones have a vector")
    learning, subwords = _learning(corpus, options, before, cache)
    rows = learn(learning, run, _identity(texts, corpus, options, before), console)
    learned = _learned(learning, corpus, options, subwords, texts)
    vectors = learned.vectors
    with console.status("Measuring the vectors"):
        facts = {**learned.facts, **measured(vectors, *asked), "neighbours": looked_at(vectors), "history": rows}
    write_json(run / "metrics.json", {name: value for name, value in facts.items() if name != "history"})
    write_json(run / "environment.json", {**environment(), "seed": options.seed})
    start_backend()  # only now: learning needs no TensorFlow
    published = _publish(learned, corpus, target, facts, texts, console)
    from kerasft.cli.word_report import write_word_report

    write_word_report(run / "report.html", vectors, facts, told(config), app)
    _summary(facts, run, published, console)
    return published


def learned_before(source: Path) -> Learned:
    """What to go on from: a bundle of ours with all its tables, or a vector file with its vectors alone."""
    found = find_learned(source) if source.is_dir() else None
    if found is not None:
        return found
    vectors = load_vectors(source, where="--resume-from")
    counts = np.zeros(len(vectors), np.int64) if vectors.counts is None else vectors.counts
    return Learned(vectors.words, counts, np.asarray(vectors.matrix), {}, {})


def default_export(data: str) -> Path:
    """exported/vectors_NAME by the data's last word: vectors_sample, vectors_imdb of "parquet:data/imdb"."""
    return export_named("vectors", data)


def _check_target(target: Path) -> None:
    start_backend()
    from kerasft.export.publish import check_target

    check_target(target)


def _learning(
    corpus: WordCorpus, options: LearnOptions, before: Learned | None, cache: Path
) -> tuple[Learning, Subwords | None]:
    vocabulary, subwords = corpus.text.vocabulary, None
    if options.algorithm == "glove":
        start = None if before is None else _glove_start(start_tables(before, vocabulary, None))
        folder = cache / f"pairs-{content_hash(corpus.text.digest(), str(options.window))[:16]}"
        pairs = Cooccurrence.of(corpus.ids, len(vocabulary), folder, window=options.window)
        return GloVe(pairs, options.of_pairs, start), None
    if options.algorithm == "fasttext":
        subwords = None if before is None else joined_subwords(before, vocabulary, plain=2)
        subwords = subwords or Subwords.of(vocabulary, options.minn, options.maxn, plain=2)
    start = {} if before is None else start_tables(before, vocabulary, subwords)
    return Word2Vec(corpus.ids, corpus.counts, options.of_words, subwords, start), subwords


def _glove_start(tables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"vectors": tables["inputs"]} if "inputs" in tables else tables


def _identity(texts: Any, corpus: WordCorpus, options: LearnOptions, before: Learned | None) -> dict[str, Any]:
    known = [] if before is None else [before.matrix, *before.tables.values()]
    start = content_hash(*(np.ascontiguousarray(table).tobytes() for table in known))[:16] if known else None
    return {**vars(options), "data": texts.fingerprint, "text": corpus.text.digest()[:16], "start": start}


def _learned(
    learning: Any, corpus: WordCorpus, options: LearnOptions, subwords: Subwords | None, texts: Any
) -> Learned:
    """What is kept: without the rows of "[PAD]" and "[UNK]"."""
    dimension = options.dimension
    if isinstance(learning, GloVe):
        tables = {name: table[2:] for name, table in learning.parts().items()}
    else:
        tables = {name: table[2:, :dimension] for name, table in learning.state().items()}
    facts = {
        "algorithm": options.algorithm,
        **({} if options.algorithm == "glove" else {"mode": options.mode}),
        "dimension": dimension,
        "window": options.window,
        "words": len(corpus.words),
        "corpus_words": len(corpus.ids.values),
        "texts": texts.counts,
        "source": texts.source,
        "left_out": texts.left_out,
        "synthetic": texts.synthetic,
        "lowercase": corpus.text.lowercase,
        "strip_accents": corpus.text.strip_accents,
        "seed": options.seed,
    }
    kept = (
        None if subwords is None else Subwords.of(corpus.words, subwords.minn, subwords.maxn, buckets=subwords.buckets)
    )
    return Learned(corpus.words, corpus.counts[2:], learning.matrix()[2:], facts, tables, kept)


def _publish(
    learned: Learned, corpus: WordCorpus, target: Path, facts: dict[str, Any], texts: Any, console: Console
) -> Path:
    from kerasft import inputs, models, tasks
    from kerasft.cli.word_report import word_card
    from kerasft.export import export
    from kerasft.learner import Learner

    served = np.concatenate([np.zeros((2, learned.matrix.shape[1]), np.float32), learned.matrix])
    style = {"lowercase": corpus.text.lowercase, "strip_accents": corpus.text.strip_accents}
    text = inputs.Text.from_vocabulary(corpus.text.vocabulary, tokenizer="word", max_tokens=None, **style)
    learner = Learner({"text": text}, models.mean_vector(served), tasks.Embedding(served.shape[1]))
    spread = np.linspace(0, len(corpus.words) - 1, min(len(corpus.words), _VERIFIED // 2)).astype(int)
    rows = [corpus.words[row] for row in spread] + [texts[row] for row in range(min(len(texts), _VERIFIED // 2))]

    def add(folder: Path, parity: dict[str, Any]) -> None:
        learned.save(folder / FOLDER)
        (folder / "MODEL_CARD.md").write_text(word_card(target.name, facts, parity), encoding="utf-8")

    shown = {name: value for name, value in facts.items() if name in ("similarity", "analogies")}
    with console.status("Exporting, and proving that every path answers with the same vectors"):
        bundle = export(learner, target, verify_on={"text": rows}, metrics=shown, card=add)
    path = bundle.path
    console.print(f"proved on {bundle.parity['rows']:,} rows, worst difference {bundle.parity['worst_difference']:.1e}")
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _summary(facts: dict[str, Any], run: Path, published: Path, console: Console) -> None:
    table = Table(title="Nearest words", title_justify="left", title_style="bold", show_header=False)
    for word, near in list(facts["neighbours"].items())[-5:]:
        table.add_row(word, ", ".join(f"{other} {cosine:.2f}" for other, cosine in near))
    console.print(table)
    for name, one in facts["similarity"].items():
        figure = "none covered" if one["spearman"] is None else f"{one['spearman']:.3f}"
        console.print(f"{name}: Spearman {figure} on {one['covered']} of {one['pairs']} pairs")
    for name, parts in facts["analogies"].items():
        figures = ", ".join(
            f"{part} {one['accuracy']:.1%}" for part, one in parts.items() if one["accuracy"] is not None
        )
        total = parts["total"]
        console.print(f"{name}: {figures or 'none covered'} ({total['covered']:,} of {total['questions']:,})")
    bundle = published.parent
    lines = {
        "run": run,
        "bundle": published,
        "ask": f"python -m apps.word_vectors --neighbours WORD --vectors {bundle}",
        "put to work": f"python -m apps.imdb_lstm --vectors {bundle} --data ...",
    }
    tell_places(lines, console)


def tell_neighbours(source: Path, word: str, count: int, console: Console) -> None:
    """Prints a word's nearest words.

    Raises:
        InputError: if there are no vectors, or none for the word; names the nearest spellings.
    """
    vectors = load_vectors(source)
    facts = find_learned(source) if source.is_dir() else None
    if word not in vectors and facts is not None and facts.facts.get("lowercase") and word.lower() in vectors:
        word = word.lower()
    for other, cosine in vectors.neighbours(word, count):
        console.print(f"{cosine:6.3f}  {other}", highlight=False, markup=False)

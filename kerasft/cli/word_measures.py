"""What word vectors are measured by: people's judgements, analogies, and a look at the neighbours."""

from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.pretrain.words.analogies import analogies, read_questions
from kerasft.pretrain.words.similarity import read_pairs, similarity
from kerasft.pretrain.words.vectors import WordVectors

_PAIRS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_QUESTIONS = "questions"
_LOOKED_AT, _NEAREST = 12, 6


def measure_files(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads a folder of word pairs and analogy questions, before anything is learned.

    Returns:
        Pairs and questions, each by the file's name.

    Raises:
        InputError: if the folder is missing or holds neither, or a file cannot be read.
    """
    files = sorted(path for path in folder.iterdir() if path.name.endswith(_PAIRS)) if folder.is_dir() else []
    if not files:
        raise InputError(
            "there are no word pairs or questions to measure with",
            received=str(folder),
            where="--measure",
            allowed="a folder of .csv, .tsv or .txt files, .gz too",
        )
    named = {path.name.partition(".")[0]: path for path in files}
    asked = {name: read_questions(path) for name, path in named.items() if name.startswith(_QUESTIONS)}
    return {name: read_pairs(path) for name, path in named.items() if name not in asked}, asked


def measured(vectors: WordVectors, pairs: dict[str, Any], questions: dict[str, Any]) -> dict[str, Any]:
    """Rank correlations and shares of right answers, ready for JSON; None where nothing is covered."""
    found: dict[str, Any] = {"similarity": {}, "analogies": {}}
    for name, judged in pairs.items():
        one = similarity(vectors, judged)
        found["similarity"][name] = {"spearman": one.spearman, "covered": one.covered, "pairs": one.total}
    for name, sections in questions.items():
        result = analogies(vectors, sections)
        parts = {"total": result.total, "semantic": result.semantic, "syntactic": result.syntactic}
        found["analogies"][name] = {
            part: {"accuracy": section.accuracy, "covered": section.covered, "questions": section.total}
            for part, section in parts.items()
        }
    return found


def looked_at(vectors: WordVectors) -> dict[str, list[tuple[str, float]]]:
    """The nearest words of some, for people: spread over the frequent ones, as the very first say little."""
    last = min(len(vectors), 2_000)
    rows = sorted({round(last * (number / _LOOKED_AT) ** 2) for number in range(1, _LOOKED_AT)})
    words = [word for word in (vectors.words[min(row, len(vectors) - 1)] for row in rows) if word.isalpha()]
    return {word: vectors.neighbours(word, _NEAREST) for word in dict.fromkeys(words) if vectors.vector(word).any()}

"""How often word vectors answer "a is to b as c is to ..." by adding and subtracting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.pretrain.words.files_stream import text_lines
from kerasft.pretrain.words.similarity import folded_index
from kerasft.pretrain.words.vectors import WordVectors

Question = tuple[str, str, str, str]
_SYNTACTIC = "gram"  # what the names of the syntactic sections begin with
_SCORES = 1 << 24  # numbers that are held at a time: 64 MB


@dataclass(frozen=True)
class Section:
    """The questions of one kind.

    Args:
        correct: questions answered right.
        covered: questions whose four words are among the words that count.
        total: questions that were asked for.
    """

    correct: int
    covered: int
    total: int

    @property
    def accuracy(self) -> float | None:
        """Share of the covered questions that are answered right; None where none is covered."""
        return self.correct / self.covered if self.covered else None

    @property
    def coverage(self) -> float:
        """Share of the questions that are covered."""
        return self.covered / max(self.total, 1)


@dataclass(frozen=True)
class Analogies:
    """Right answers to analogy questions.

    Args:
        sections: by name, in the order of the questions.
        restrict: how many of the most frequent words counted.
    """

    sections: dict[str, Section]
    restrict: int

    @property
    def total(self) -> Section:
        """All sections."""
        return _sum(self.sections.values())

    @property
    def semantic(self) -> Section:
        """Sections whose name does not begin with "gram"."""
        return _sum(section for name, section in self.sections.items() if not name.startswith(_SYNTACTIC))

    @property
    def syntactic(self) -> Section:
        """Sections whose name begins with "gram"."""
        return _sum(section for name, section in self.sections.items() if name.startswith(_SYNTACTIC))

    @property
    def coverage(self) -> float:
        """Share of all questions whose four words are among the words that count."""
        return self.total.coverage


def analogies(
    vectors: WordVectors, questions: Mapping[str, Sequence[Question]], restrict: int = 30_000, *, fold: bool = True
) -> Analogies:
    """Answers each question with the word nearest to b - a + c of unit vectors, a, b and c left out, and counts.

    3CosAdd (Mikolov, Yih & Zweig 2013, section 4). Questions with a word that is not among the first `restrict` are
    left out of the accuracy, and told by the coverage.

    Args:
        vectors: the vectors.
        questions: of each section, as `read_questions` reads them.
        restrict: only the first words count, as questions' words and as answers. Default 30,000, as in word2vec's own
            program; gensim's `evaluate_word_analogies` counts 300,000 unless told otherwise.
        fold: take upper and lower case for the same; of words that differ by case alone the first stands for all, and
            any of them is a right answer. Default True, as in gensim.

    Raises:
        InputError: if `restrict` is below 1.

    Example:
        >>> words = ["man", "king", "woman", "queen"]
        >>> vectors = WordVectors(words, np.array([[1, 0], [1, 1], [-1, 0], [-1, 1]], np.float32))
        >>> found = analogies(vectors, {"royalty": [("Man", "King", "Woman", "Queen"), ("man", "he", "woman", "she")]})
        >>> found.total, found.coverage
        (Section(correct=1, covered=1, total=2), 0.5)
    """
    if restrict < 1:
        raise InputError("restrict must be at least 1", received=restrict)
    words = vectors.words[:restrict]
    named = [word.casefold() for word in words] if fold else words
    index = folded_index(named) if fold else dict(zip(named, range(len(named)), strict=True))
    same = np.fromiter((index[name] for name in named), np.int64, len(named))  # [words], the first of the same name
    asked, section_of = [], []
    for number, section in enumerate(questions.values()):
        for question in section:
            rows = [index.get(word.casefold() if fold else word) for word in question]
            if None not in rows:
                asked.append(rows)
                section_of.append(number)
    rows = np.array(asked, np.int64).reshape(-1, 4)  # [questions, a b c d]
    right = same[_answers(vectors.unit(slice(0, len(words))), rows[:, :3], same)] == rows[:, 3]
    sections = {}
    for number, (name, section) in enumerate(questions.items()):
        of_section = np.array(section_of, np.int64) == number
        sections[name] = Section(int(right[of_section].sum()), int(of_section.sum()), len(section))
    return Analogies(sections, restrict)


def _answers(unit: np.ndarray, rows: np.ndarray, same: np.ndarray) -> np.ndarray:
    """The row nearest to b - a + c for each question, none of the three and no other case of them, int64 [questions].

    Args:
        unit: float32 [words, dimension], rows of length 1.
        rows: int64 [questions, 3].
        same: int64 [words], the first row of the same name.
    """
    order = np.argsort(same, kind="stable")
    first, last = np.searchsorted(same[order], rows), np.searchsorted(same[order], rows, side="right")
    answers = np.zeros(len(rows), np.int64)
    step = max(1, _SCORES // len(unit))
    for start in range(0, len(rows), step):
        a, b, c = rows[start : start + step].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # [questions, words]
        question = np.arange(len(scores))[:, None]
        low, high = first[start : start + step], last[start : start + step]  # [questions, 3]
        for nth in range(int((high - low).max())):
            scores[question, order[np.minimum(low + nth, high - 1)]] = -np.inf
        answers[start : start + step] = scores.argmax(axis=1)
    return answers


def read_questions(path: str | Path) -> dict[str, list[Question]]:
    """Reads analogy questions in the format of word2vec's "questions-words.txt".

    Args:
        path: lines ": section" and, below, lines of four words. gzip is known by its content.

    Returns:
        The questions of each section, in the order of the file.

    Raises:
        InputError: if the file is missing, empty, damaged or not UTF-8, or a line has not four words or stands before
            any section; names the line.

    Example:
        >>> import tempfile, pathlib
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "questions.txt"
        >>> _ = file.write_text(": family\\nboy girl brother sister\\n")
        >>> read_questions(file)
        {'family': [('boy', 'girl', 'brother', 'sister')]}
    """
    sections: dict[str, list[Question]] = {}
    section: list[Question] | None = None
    for number, line in text_lines(path):
        where = f"{path}, line {number}"
        if line.startswith(":"):
            section = sections.setdefault(line[1:].strip(), [])
            continue
        match line.split():
            case []:
                continue
            case [a, b, c, d] if section is not None:
                section.append((a, b, c, d))
            case _ if section is None:
                raise InputError("a question stands before any section", received=line[:80], where=where)
            case _:
                raise InputError("an analogy question has four words", received=line[:80], where=where)
    if not any(sections.values()):
        raise InputError("the file has no analogy questions", where=str(path))
    return sections


def _sum(sections: Iterable[Section]) -> Section:
    sections = list(sections)
    return Section(*(sum(getattr(part, name) for part in sections) for name in ("correct", "covered", "total")))

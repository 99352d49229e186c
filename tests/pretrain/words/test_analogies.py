import os
from pathlib import Path

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.pretrain.words import analogies as module
from kerasft.pretrain.words.analogies import Section, analogies, read_questions
from kerasft.pretrain.words.files import read_vectors
from kerasft.pretrain.words.vectors import WordVectors

DATA = Path(os.environ.get("KERASFT_DATA", "nowhere"))
needs_data = pytest.mark.skipif(not (DATA / "wordvec_eval").is_dir(), reason="KERASFT_DATA has no analogies")


def make(seed: int = 0) -> tuple[WordVectors, dict]:
    """Words with a root and an ending, whose vectors add up with some noise; some in capitals too."""
    random = np.random.default_rng(seed)
    roots, endings = random.normal(size=(20, 8)), random.normal(size=(4, 8))
    words = [f"r{root}e{end}" for root in range(20) for end in range(4)]
    matrix = np.repeat(roots, 4, axis=0) + np.tile(endings, (20, 1)) + 0.6 * random.normal(size=(80, 8))
    words += [word.upper() for word in words[:30]]
    matrix = np.concatenate([matrix, matrix[:30] + 0.3 * random.normal(size=(30, 8))])
    order = random.permutation(len(words))
    vectors = WordVectors([words[at] for at in order], matrix[order].astype(np.float32))
    questions = {}
    for name, (first, second) in {"kind": (0, 1), "gram1-form": (2, 3), "gram2-other": (0, 3)}.items():
        asked = random.integers(0, 22, (60, 2))  # roots 20 and 21 do not occur
        questions[name] = [(f"r{a}e{first}", f"R{a}E{second}", f"r{b}e{first}", f"r{b}e{second}") for a, b in asked]
    return vectors, questions


def gensim_sections(vectors: WordVectors, file: Path, restrict: int, fold: bool) -> list[tuple[int, int]]:
    keyed = pytest.importorskip("gensim.models").KeyedVectors(vectors.dimension)
    keyed.add_vectors(vectors.words, vectors.matrix)
    _, sections = keyed.evaluate_word_analogies(str(file), restrict_vocab=restrict, case_insensitive=fold)
    return [(len(part["correct"]), len(part["correct"]) + len(part["incorrect"])) for part in sections]


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("restrict", [300, 70])
def test_the_answers_are_those_of_gensim(tmp_path, monkeypatch, restrict, fold):
    vectors, questions = make()
    text = "".join(f": {name}\n" + "".join(" ".join(q) + "\n" for q in asked) for name, asked in questions.items())
    (tmp_path / "questions.txt").write_text(text)
    assert read_questions(tmp_path / "questions.txt") == questions
    found = analogies(vectors, questions, restrict, fold=fold)
    wanted = gensim_sections(vectors, tmp_path / "questions.txt", restrict, fold)
    assert [(part.correct, part.covered) for part in [*found.sections.values(), found.total]] == wanted
    assert 0 < found.total.correct < found.total.covered < found.total.total == 180
    monkeypatch.setattr(module, "_SCORES", 1000)
    assert analogies(vectors, questions, restrict, fold=fold) == found


def test_semantic_and_syntactic_sections_are_told_apart():
    found = analogies(*make())
    assert found.semantic == found.sections["kind"]
    assert found.syntactic.total == 120
    assert found.total.correct == found.semantic.correct + found.syntactic.correct
    assert found.coverage == found.total.covered / 180
    assert found.total.accuracy == found.total.correct / found.total.covered


def test_without_covered_questions_there_is_no_accuracy():
    vectors, _ = make()
    found = analogies(vectors, {"gram": [("a", "b", "c", "d")]})
    assert found.total == Section(0, 0, 1)
    assert (found.total.accuracy, found.semantic.accuracy, found.coverage) == (None, None, 0)
    with pytest.raises(InputError, match=r"restrict must be at least 1\. Received: 0"):
        analogies(vectors, {}, 0)


@needs_data
def test_real_questions_and_vectors_score_as_in_gensim(tmp_path):
    questions = read_questions(DATA / "wordvec_eval" / "questions-words.txt.gz")
    assert len(questions) == 14
    assert sum(map(len, questions.values())) == 19_544
    vectors = read_vectors(DATA / "glove50d_subset" / "glove.6B.50d.subset.txt.gz")
    found = analogies(vectors, questions)
    wanted = gensim_sections(vectors, DATA / "wordvec_eval" / "questions-words.txt.gz", 30_000, True)
    assert [(part.correct, part.covered) for part in [*found.sections.values(), found.total]] == wanted


def test_refusals(tmp_path):
    file = tmp_path / "questions"
    for text, message in {
        "a b c d\n": "a question stands before any section. Received: 'a b c d'. Where: FILE, line 1.",
        ": s\na b c d\n\na b c\n": "an analogy question has four words. Received: 'a b c'. Where: FILE, line 4.",
        ": s\n": "the file has no analogy questions. Where: FILE.",
        "": "the file is empty. Where: FILE.",
    }.items():
        file.write_text(text)
        with pytest.raises(InputError) as error:
            read_questions(file)
        assert str(error.value).replace(str(file), "FILE") == message

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.cli.options import TextOptions
from kerasft.cli.vector_options import UseVectorsOptions
from kerasft.cli.vectors_use import start_from_vectors
from kerasft.pretrain.words.files import write_vectors
from kerasft.pretrain.words.store import Learned
from kerasft.pretrain.words.vectors import WordVectors

TEXTS = ["A quiet film", "a quiet plot", "zzz film"]
WORDS = ["film", "quiet", "a", "zeppelin"]
MATRIX = np.array([[3, 4], [1, 0], [0, 2], [5, 0]], np.float32)


@pytest.fixture
def bundle(tmp_path):
    facts = {"algorithm": "word2vec", "lowercase": True, "strip_accents": True}
    Learned(WORDS, np.array([4, 3, 2, 1]), MATRIX, facts, {}).save(tmp_path / "bundle" / "1" / "vectors")
    return tmp_path / "bundle"


def started(source, **options):
    return start_from_vectors(TEXTS, TextOptions(max_tokens=9), UseVectorsOptions(source, **options), seed=0)


def test_words_of_the_rows_come_first_and_those_of_the_vectors_join(bundle, capsys):
    one = started(bundle)
    row = {word: one.table[number] for number, word in enumerate(one.text.vocabulary)}
    assert set(one.text.vocabulary) == {"[PAD]", "[UNK]", "a", "film", "quiet", "plot", "zzz", "zeppelin"}
    assert one.text.vocabulary[-1] == "zeppelin"
    assert row["film"].tolist() == pytest.approx([0.6 * 0.5**0.5, 0.8 * 0.5**0.5])  # root mean square 0.5
    assert row["zeppelin"].tolist() == pytest.approx([0.5**0.5, 0])
    assert 0 < np.abs(row["zzz"]).max() <= 0.05
    assert not row["[PAD]"].any()
    assert one.facts["vectors_cover_words"] == pytest.approx(3 / 5)
    assert one.facts["vectors_cover_places"] == pytest.approx(6 / 8)
    shown = " ".join(capsys.readouterr().out.split())
    assert "60.0% of the 5 words of the train rows have one, 75.0% of all their places; 1 more words join" in shown
    assert one.text.max_tokens == 9


def test_lengths_are_kept_where_asked_for(bundle):
    one = started(bundle, unit=False)
    assert one.table[one.text.vocabulary.index("film")].tolist() == [3, 4]


def test_a_file_of_vectors_does_as_well(tmp_path):
    write_vectors(WordVectors(WORDS, MATRIX), tmp_path / "v.txt")
    one = started(tmp_path / "v.txt")
    assert one.table[one.text.vocabulary.index("quiet")].tolist() == pytest.approx([0.5**0.5, 0])


def test_pieces_of_words_have_no_word_vectors(bundle):
    with pytest.raises(InputError, match=r"word vectors are of whole words\. Received: 'wordpiece'"):
        start_from_vectors(TEXTS, TextOptions(tokenizer="wordpiece"), UseVectorsOptions(bundle), seed=0)


def test_no_vectors_at_that_place(tmp_path):
    with pytest.raises(InputError, match="there are no word vectors"):
        started(tmp_path / "nowhere")

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vector_toys import assert_same, make_vectors

from kerasft.base.errors import InputError
from kerasft.pretrain.words import files_binary, files_stream, files_text
from kerasft.pretrain.words.files import read_vectors, write_vectors
from kerasft.pretrain.words.files_write import FORMATS
from kerasft.pretrain.words.vectors import WordVectors

GLOVE = Path(os.environ.get("KERASFT_DATA", "nowhere")) / "glove50d_subset" / "glove.6B.50d.subset.txt.gz"
spaced = st.lists(st.text("ab.é5", min_size=1, max_size=3), min_size=2, max_size=3).map(" ".join)
letters = st.text(st.characters(blacklist_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=8)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_is_read_again_bit_for_bit(tmp_path, format, end):
    vectors, file = make_vectors(), tmp_path / f"vectors{end}"
    write_vectors(vectors, file, format)
    assert (file.read_bytes()[:2] == b"\x1f\x8b") == bool(end)
    assert_same(read_vectors(file), vectors)
    assert_same(read_vectors(file, limit=3), WordVectors(vectors.words[:3], vectors.matrix[:3]))
    assert_same(read_vectors(file, limit=400), vectors)
    again = tmp_path / f"again{end}"
    write_vectors(vectors, again, format)
    assert again.read_bytes() == file.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_any_words_and_numbers_survive_any_format(tmp_path, data):
    words = data.draw(st.lists(letters, min_size=1, max_size=6, unique=True))
    dimension = data.draw(st.integers(3, 9))
    rows = st.lists(finite, min_size=dimension, max_size=dimension)
    matrix = np.array([data.draw(rows) for _ in words], np.float32)
    vectors, format = WordVectors(words, matrix), data.draw(st.sampled_from(FORMATS))
    write_vectors(vectors, tmp_path / "vectors", format)
    assert_same(read_vectors(tmp_path / "vectors"), vectors)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(content=st.one_of(st.binary(max_size=80), st.text("12. -enaif\n\tx", max_size=80).map(str.encode)))
@pytest.mark.parametrize("start", [b"", b"2 3\n", b"a 1 2\nb 3 4\n", b"\x1f\x8b\x08"])
def test_any_bytes_are_vectors_or_a_told_mistake(tmp_path, start, content):
    (tmp_path / "any").write_bytes(start + content)
    try:
        vectors = read_vectors(tmp_path / "any")
    except InputError as error:
        assert str(tmp_path / "any") in str(error)  # noqa: PT017 (most bytes are refused, some are not)
    else:
        assert np.isfinite(vectors.matrix).all()
        assert len(set(vectors.words)) == len(vectors)


@pytest.mark.parametrize("format", FORMATS)
def test_reading_in_small_blocks_is_reading_at_once(tmp_path, monkeypatch, format):
    vectors = make_vectors(300)
    write_vectors(vectors, tmp_path / "vectors", format)
    for module in (files_stream, files_text, files_binary):
        monkeypatch.setattr(module, "BLOCK", 211)
    for module in (files_text, files_binary):
        monkeypatch.setattr(module, "_FIRST_ROWS", 8)
    monkeypatch.setattr(files_binary, "_LONGEST_WORD", 50)
    assert_same(read_vectors(tmp_path / "vectors"), vectors)


# gensim leaves a file open where there is no header.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("format", FORMATS)
def test_gensim_reads_what_is_written_and_what_it_writes_is_read(tmp_path, format):
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    binary, header = format == "word2vec-binary", format != "glove"
    vectors, ours, theirs = make_vectors(), tmp_path / "ours.gz", tmp_path / "theirs.gz"
    write_vectors(vectors, ours, format)
    read = keyed.load_word2vec_format(str(ours), binary=binary, no_header=not header)
    assert_same(WordVectors(read.index_to_key, read.vectors), vectors)
    read.save_word2vec_format(str(theirs), binary=binary, write_header=header)
    assert_same(read_vectors(theirs), vectors)


def test_real_vectors_of_glove_are_read_as_python_reads_them():
    if not GLOVE.is_file():
        pytest.skip("KERASFT_DATA has no GloVe vectors")
    vectors = read_vectors(GLOVE)
    lines = [line.split(" ") for line in gzip.decompress(GLOVE.read_bytes()).decode().splitlines()]
    assert vectors.words == [line[0] for line in lines]
    np.testing.assert_array_equal(vectors.matrix, np.array([line[1:] for line in lines], np.float64).astype(np.float32))
    assert vectors.dimension == 50


def test_words_may_have_spaces_where_most_lines_tell_the_dimension(tmp_path):
    file = tmp_path / "glove.txt"
    file.write_text("the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n2012 1e-3 1 1\n")
    vectors = read_vectors(file)
    assert vectors.words == ["the", ". . .", "at name@domain.com", "2012"]
    assert vectors.matrix[1:3].tolist() == [[4, 5, 6], [7, 8, 9]]
    write_vectors(vectors, tmp_path / "again.txt", "glove")
    assert_same(read_vectors(tmp_path / "again.txt"), vectors)
    with pytest.raises(InputError) as error:
        write_vectors(vectors, tmp_path / "no.txt", "word2vec")
    assert str(error.value) == (
        "a word cannot be written in the format 'word2vec'. Received: '. . .'. Where: word 2. "
        "Allowed: words without newlines and spaces."
    )


@pytest.mark.parametrize(
    "text",
    [
        "2 2\na 1 2 \nb 3 4 \n",
        "2 2\r\na 1 2\r\nb 3 4\r\n",
        "2 2\na\t1\t2\nb\t3\t4",
        "a 1 2\nb 3 4\n\n \n",
        "2 2 \na +1 2.\nb 3e0 .4e1\n",
    ],
)
def test_the_small_ways_of_other_programs(tmp_path, text):
    (tmp_path / "vectors").write_bytes(text.encode())
    assert_same(read_vectors(tmp_path / "vectors"), WordVectors(["a", "b"], np.array([[1, 2], [3, 4]], np.float32)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(words=st.lists(spaced, max_size=5, unique=True))
def test_any_words_with_spaces_survive_the_format_of_glove_or_are_refused(tmp_path, words):
    words += [f"word{n}" for n in range(6)]  # most lines tell the dimension
    vectors = WordVectors(words, np.arange(3 * len(words), dtype=np.float32).reshape(-1, 3))
    try:
        write_vectors(vectors, tmp_path / "vectors", "glove")
    except InputError:
        return
    assert_same(read_vectors(tmp_path / "vectors"), vectors)


def test_a_number_between_two_float32_is_read_as_python_reads_it(tmp_path):
    middle = "1.000000059604644775390625"  # half a unit of the last place above 1, and a little more
    (tmp_path / "vectors").write_text(f"a {middle} {middle}0001 1\nb 1 1e-400 0.{'1' * 60}\n")
    numbers = read_vectors(tmp_path / "vectors").matrix
    assert numbers.tolist() == [
        [float(np.float32(float(middle))), float(np.float32(float(middle + "0001"))), 1],
        [1, 0, float(np.float32(1 / 9))],
    ]


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    for text in (b"999999999999999 300\na 1 2 3\n", b"999999999999999 300\na " + bytes(1200)):
        (tmp_path / "vectors").write_bytes(text)
        with pytest.raises(InputError):
            read_vectors(tmp_path / "vectors")


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    vectors = make_vectors()
    vectors.matrix[7, 2] = np.nan
    for format in FORMATS:
        with pytest.raises(
            InputError,
            match=r"a number that is not finite\. Received: '词7'",
        ):
            write_vectors(vectors, tmp_path / "vectors", format)
    with pytest.raises(InputError) as error:
        write_vectors(vectors, tmp_path / "vectors", "gloove")
    assert str(error.value) == (
        "unknown format of word vectors. Received: 'gloove'. "
        "Allowed: word2vec, word2vec-binary, glove, fasttext. Did you mean 'glove'?"
    )
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("word", ["", "a\nb", " a", "a ", "a\r", "\ud800", "route 66", "or nan"])
def test_words_that_no_reader_could_tell_are_refused(tmp_path, word):
    for format in FORMATS:
        with pytest.raises(InputError, match="a word cannot be written"):
            write_vectors(WordVectors([word], np.ones((1, 2), np.float32)), tmp_path / "vectors", format)
    assert not any(tmp_path.iterdir())

import re

from hypothesis import given
from hypothesis import strategies as st

from kerasft.inputs.normalise import CharacterTable
from kerasft.inputs.words import WordSplitter

SPLITTER = WordSplitter(CharacterTable.build())


def split(*texts):
    words = SPLITTER(texts)
    strings = words.strings()
    return [strings[a:b] for a, b in zip(words.rows[:-1], words.rows[1:], strict=True)]


def test_words_of_a_batch_stay_in_their_rows():
    assert split("A quiet,film", "", "end.", " ", "Begin") == [
        ["a", "quiet", ",", "film"],
        [],
        ["end", "."],
        [],
        ["begin"],
    ]


def test_breaks_are_spaces_and_the_rest_is_not():
    assert split("a<br />b<BR>c", "<br", "br />", "<<br>>") == [
        ["a", "b", "c"],
        ["<", "br"],
        ["br", "/", ">"],
        ["<", ">"],
    ]


def test_a_break_does_not_reach_over_two_texts():
    assert split("a<br", "/>b") == [["a", "<", "br"], ["/", ">", "b"]]


@given(st.lists(st.text(alphabet="aB \n.!\u0301\u00e9<br/>\u4e2d\x00", max_size=20), min_size=1, max_size=5))
def test_words_are_those_of_a_plain_regex(texts):
    def plainly(text):
        text = re.sub("<[bB][rR] ?/?>", " ", text).replace("\x00", "").replace("\u0301", "")
        return re.findall("[a-z]+|[^a-z ]", text.lower().replace("\u00e9", "e").replace("\n", " "))

    assert split(*texts) == [plainly(text) for text in texts]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_a_batch_is_as_its_texts_alone(texts):
    assert split(*texts) == [split(text)[0] for text in texts]


def test_equal_words_have_equal_hashes_wherever_they_stand():
    words = SPLITTER(["film a Film", "x" * 5000 + " FI\u0301LM film film\u00ad"])
    hashes = words.hashes().tolist()
    same = {hashes[i] for i, word in enumerate(words.strings()) if word == "film"}
    assert len(same) == 1
    assert len(set(hashes)) == len(set(words.strings()))

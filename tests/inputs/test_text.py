import subprocess
import sys

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.inputs.hostile import HOSTILE_TEXTS

TEXTS = ["A quiet, moving film.", "A loud film, loud and long!", "Quiet? Not a bit."]


def test_the_most_frequent_words_come_first_and_ties_by_their_text():
    text = Text.learn(["b b a a c", "b d<br />D"], vocabulary=5)
    assert text.vocabulary == ["[PAD]", "[UNK]", "b", "a", "d"]
    assert (text.vocabulary_size, text.pad_id, text.unknown_id) == (5, 0, 1)


def test_min_count_leaves_rare_words_out():
    assert Text.learn(["b b a"], min_count=2).vocabulary == ["[PAD]", "[UNK]", "b"]


def test_words_over_100_characters_are_never_learned():
    assert Text.learn(["x" * 101 + " " + "y" * 100]).vocabulary == ["[PAD]", "[UNK]", "y" * 100]


def test_encode_gives_ids():
    text = Text.learn(["film film film a a quiet"])
    rows = text.encode(["A quiet film", "", "\x00\u0301", "loud FILM"])
    assert rows.pad().tolist() == [[3, 4, 2], [1, 0, 0], [1, 0, 0], [1, 2, 0]]
    assert rows.values.dtype == np.int32
    assert len(text.encode([])) == 0


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
@pytest.mark.parametrize(("truncate", "expected"), [("head", "abc"), ("tail", "efg"), ("head+tail", "abg")])
def test_truncation(tokenizer, truncate, expected):
    text = Text.learn(["a b c d e f g"], tokenizer=tokenizer, max_tokens=3, truncate=truncate)
    assert "".join(text.tokens("a b c d e f g")) == expected
    assert text.tokens("a b") == ["a", "b"]
    assert len(text.encode(["a b c d e f g"], truncate=False).values) == 7


def test_pieces_are_truncated_as_pieces():
    vocabulary = ["[PAD]", "[UNK]", "un", "##do", "##ing", "film", "do"]
    for truncate, expected in (
        ("head", ["un", "##do", "##ing"]),
        ("tail", ["##do", "##ing", "film"]),
        ("head+tail", ["un", "##do", "film"]),
    ):
        text = Text.from_vocabulary(vocabulary, max_tokens=3, truncate=truncate)
        assert text.tokens("undoing undoing film") == expected


def test_longest_pieces_from_the_left():
    text = Text.from_vocabulary(["[UNK]", "[PAD]", "a", "ab", "##b", "##bc", "##c", "abcd"])
    assert text.tokens("abc abcd ab abb bc abcbc") == [
        "ab",
        "##c",
        "abcd",
        "ab",
        "ab",
        "##b",
        "[UNK]",
        "ab",
        "##c",
        "##bc",
    ]
    assert text.tokens("a" + "b" * 99)[:2] == ["ab", "##b"]
    assert text.tokens("a" + "b" * 100) == ["[UNK]"]
    assert (text.pad_id, text.unknown_id) == (1, 0)
    assert text.encode(["zz", "a"]).pad(2, value=text.pad_id).tolist() == [[0, 1], [2, 1]]


def test_wordpiece_learns_the_special_tokens_and_pieces():
    text = Text.learn(["low lower lowest slow slower"] * 4, tokenizer="wordpiece", vocabulary=40)
    assert text.vocabulary[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert text.vocabulary_size <= 40
    assert text.tokens("lowers")[0].startswith("low")
    assert text.unknown_id not in text.encode(["lowers stole"]).values


def test_pieces_longer_than_a_token_may_be_are_not_learned():
    shared = "".join("acgt"[number % 4] + "acgt"[number // 4 % 4] for number in range(50))[:99]
    text = Text.learn([f"{start}{shared} low" for start in "xy"] * 2, tokenizer="wordpiece", vocabulary=2_000)
    assert max(map(len, text.vocabulary)) <= 100  # "##" and 99 letters would be 101
    assert text.unknown_id not in text.encode([f"x{shared}"]).values


def test_wordpiece_learns_the_same_in_another_process():
    code = (
        "from kerasft.inputs import Text;"
        f"print(Text.learn({TEXTS * 3!r}, tokenizer='wordpiece', vocabulary=60).digest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert digests == {Text.learn(TEXTS * 3, tokenizer="wordpiece", vocabulary=60).digest()}


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_special_tokens_in_a_text_are_plain_text(tokenizer):
    text = Text.learn(["[ pad ] sep"] * 3, tokenizer=tokenizer)
    tokens = text.tokens("[PAD] [SEP] [pad]")
    assert tokens == ["[", "pad", "]", "[", "sep", "]", "[", "pad", "]"]


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_a_batch_is_as_its_texts_alone_however_it_is_cut(tokenizer, monkeypatch):
    text = Text.learn(TEXTS, tokenizer=tokenizer, max_tokens=20)
    rows = text.encode(HOSTILE_TEXTS)
    monkeypatch.setattr("kerasft.inputs.text._CHUNK", 50)
    cut = text.encode(HOSTILE_TEXTS)
    for index, value in enumerate(HOSTILE_TEXTS):
        assert text.encode([value]).values.tolist() == rows.row(index).tolist() == cut.row(index).tolist()
    assert rows.lengths.min() >= 1
    assert rows.lengths.max() <= 20


def test_what_was_split_is_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr("kerasft.inputs.matching._REMEMBERED", 3)
    text = Text.from_vocabulary(["[PAD]", "[UNK]", "a", "##a", "##b"])
    for _ in range(2):
        assert text.tokens("aa ab aab aba abb b aaa") == [
            *("a", "##a", "a", "##b", "a", "##a", "##b", "a", "##b", "##a"),
            *("a", "##b", "##b", "[UNK]", "a", "##a", "##a"),
        ]
        assert len(text.matcher._memory) <= 3


def test_it_says_what_it_is():
    text = Text.learn(TEXTS, max_tokens=7, truncate="tail")
    assert text.signature == {"text": ("int32", ("batch", "time"))}
    assert text.spec() == {
        "type": "text",
        "tokenizer": "word",
        "vocabulary_size": text.vocabulary_size,
        "max_tokens": 7,
        "truncate": "tail",
        "lowercase": True,
        "strip_accents": True,
    }


def test_the_digest_follows_whatever_decides_the_ids():
    learned = [
        Text.learn(TEXTS),
        Text.learn(TEXTS, max_tokens=5),
        Text.learn(TEXTS, truncate="tail"),
        Text.learn(TEXTS, lowercase=False),
        Text.learn(TEXTS, strip_accents=False),
        Text.learn(TEXTS, vocabulary=6),
        Text.learn(TEXTS, tokenizer="wordpiece"),
    ]
    assert len({text.digest() for text in learned}) == len(learned)
    assert Text.learn(TEXTS).digest() == learned[0].digest()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenizer": "wordpice"}, r"tokenizer is not known\. Received: 'wordpice'.*Did you mean 'wordpiece'\?"),
        ({"truncate": "heads"}, r"truncate is not known.*Allowed: head, tail, head\+tail.*Did you mean 'head'"),
        ({"max_tokens": 0}, r"max_tokens must be at least 1, or None\. Received: 0"),
        ({"vocabulary": 2}, r"room for more than the 2 special tokens\. Received: 2"),
        ({"vocabulary": 5, "tokenizer": "wordpiece"}, r"more than the 5 special tokens"),
        ({"min_count": 0}, r"min_count must be at least 1\. Received: 0"),
    ],
)
def test_options_that_are_not_allowed(options, message):
    with pytest.raises(InputError, match=message):
        Text.learn(TEXTS, **options)


@pytest.mark.parametrize("value", [None, 3.5, b"bytes", float("nan")])
def test_what_is_not_text_is_refused_with_its_row(value):
    text = Text.learn(TEXTS)
    with pytest.raises(InputError, match=r"a text must be a str\. Received: .*Where: row 2\."):
        text.encode(["a", "b", value])
    with pytest.raises(InputError, match=r"Where: row 70\."):
        Text.learn(["a"] * 70 + [value])


def test_one_text_for_a_list_is_refused():
    with pytest.raises(InputError, match=r"must be a list of str.*Put the one text in a list"):
        Text.learn(TEXTS).encode("a film")


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_texts_without_a_word_are_refused(tokenizer):
    with pytest.raises(InputError, match="there is no word in the texts to learn from"):
        Text.learn(["", " \x00"], tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["[UNK]", "a"], r"lacks '\[PAD\]'"),
        (["[PAD]", "a"], r"lacks '\[UNK\]'"),
        (["[PAD]", "[UNK]", "a", "a"], r"twice\. Received: 'a'"),
        (["[PAD]", "[UNK]", ""], r"1 to 100 characters\. Received: ''"),
        (["[PAD]", "[UNK]", "a" * 101], "1 to 100 characters"),
    ],
)
def test_vocabularies_that_are_not_allowed(tokens, message):
    with pytest.raises(InputError, match=message):
        Text.from_vocabulary(tokens)


def test_progress_is_told():
    seen = []
    Text.learn(["a"] * 130, progress=seen.append)
    assert seen == [64, 128, 130]

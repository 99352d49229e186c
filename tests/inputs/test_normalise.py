import itertools

import numpy as np
import pytest
from tokenizers import normalizers, pre_tokenizers

from kerasft.inputs.hostile import HOSTILE_TEXTS
from kerasft.inputs.normalise import CODEPOINTS, CharacterTable, to_utf8
from kerasft.inputs.unicode_rules import reordering_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Caf\u00e9, Cafe\u0301!", "cafe , cafe ! "),
        ("a<br />b<BR>c<br/>d<bR >e", "a b c d e"),
        ("a<br\t/>b", "a < br / > b"),
        ("nul\x00 \ufffd\ud800x", "nul x"),
        ("\u3000\u5f88\u597d", "  \u5f88  \u597d "),
        ("\u0130\u1e9e\uac00", "i\u00df\u1100\u1161"),
    ],
)
def test_what_becomes_of_a_text(text, expected):
    assert CharacterTable.build().apply(text).split() == expected.split()


def test_options_are_honoured():
    assert CharacterTable.build(lowercase=False, strip_accents=True).apply("\u00c9a") == "Ea"
    assert CharacterTable.build(lowercase=True, strip_accents=False).apply("\u00c9a") == "\u00e9a"
    assert CharacterTable.build(lowercase=False, strip_accents=False).apply("\u00c9a") == "\u00c9a"


def test_every_codepoint_is_as_in_tokenizers():
    table, skipped = CharacterTable.build(), set(reordering_marks())
    codes = [c for c in range(CODEPOINTS) if not 0xD800 <= c < 0xE000 and c not in skipped and c != 0x30A2]
    normaliser = normalizers.BertNormalizer(strip_accents=True, lowercase=True)
    theirs = normaliser.normalize_str("\u30a2" + "\u30a2".join(map(chr, codes)) + "\u30a2").split("\u30a2")[1:-1]
    values, lengths = table.expand(np.array(codes))
    chars = "".join(map(chr, table.becomes[values]))
    ends = list(itertools.accumulate(lengths.tolist(), initial=0))
    ours = [chars[a:b] for a, b in itertools.pairwise(ends)]
    assert [code for code, a, b in zip(codes, ours, theirs, strict=True) if a.strip() != b.strip()] == []


def test_every_punctuation_mark_is_a_word_of_its_own():
    table = CharacterTable.build()
    candidates = [chr(c) for c in range(0x33500) if not 0xD800 <= c < 0xE000 and not chr(c).isalnum()]
    parts = pre_tokenizers.BertPreTokenizer().pre_tokenize_str("x" + "x".join(candidates) + "x")
    alone = sorted(part for part, _ in parts if len(part) == 1 and part != "x")
    assert len(alone) > 700
    assert all(table.apply(f"x{mark}x").count(" ") == 2 for mark in alone)


def test_saved_tables_are_the_same(tmp_path):
    table = CharacterTable.build()
    table.save(tmp_path / "characters.npz")
    loaded = CharacterTable.load(tmp_path / "characters.npz")
    assert loaded.digest() == table.digest()
    assert (loaded.kinds == table.kinds).all()
    assert (loaded.becomes == table.becomes).all()
    assert [loaded.apply(text) for text in HOSTILE_TEXTS] == [table.apply(text) for text in HOSTILE_TEXTS]
    assert (tmp_path / "characters.npz").stat().st_size < 300_000


def test_utf8_of_any_str():
    assert to_utf8("\u00e9\ud800\U0001f600\udc00") == "\u00e9\ufffd\U0001f600\ufffd".encode()
    assert all(isinstance(to_utf8(text), bytes) for text in HOSTILE_TEXTS)

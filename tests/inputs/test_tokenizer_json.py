import json

import pytest
from tokenizers import Tokenizer

from kerasft.inputs import Text, to_utf8
from kerasft.inputs.hostile import HOSTILE_TEXTS, generated_texts

STRINGS = (*generated_texts(10_000), *HOSTILE_TEXTS)


@pytest.mark.parametrize(
    ("tokenizer", "lowercase", "strip_accents"),
    [("word", True, True), ("wordpiece", True, True), ("wordpiece", False, False), ("word", True, False)],
)
def test_tokenizers_reads_the_same_tokens(tmp_path, tokenizer, lowercase, strip_accents):
    text = Text.learn(
        STRINGS[::3],
        tokenizer=tokenizer,
        vocabulary=3000,
        max_tokens=None,
        lowercase=lowercase,
        strip_accents=strip_accents,
    )
    text.save(tmp_path)
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert json.loads((tmp_path / "tokenizer.json").read_text())["added_tokens"] == []
    rows = text.encode(STRINGS)
    encodings = theirs.encode_batch([to_utf8(string).decode() for string in STRINGS])
    wrong = [
        (string, encoding.tokens)
        for index, (string, encoding) in enumerate(zip(STRINGS, encodings, strict=True))
        if (encoding.ids or [text.unknown_id]) != rows.row(index).tolist()
    ]
    assert wrong == []
    assert (rows.values != text.unknown_id).mean() > 0.2  # or the comparison says little

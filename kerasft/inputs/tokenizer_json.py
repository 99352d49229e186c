"""A `Text` as a tokenizer file of Hugging Face, for any program that reads those."""

from typing import TYPE_CHECKING, Any

from kerasft.inputs.matching import PREFIX
from kerasft.inputs.normalise import HTML_BREAK
from kerasft.inputs.unicode_rules import reordering_marks
from kerasft.inputs.words import LONGEST_WORD

if TYPE_CHECKING:
    from kerasft.inputs.text import Text


def tokenizer_json(text: "Text") -> dict[str, Any]:
    """What goes into tokenizer.json: it gives the tokens of `text` before truncation.

    There are no added tokens: those would be found in what users write. A text without any word gives no
    token there, where `Text` gives one "[UNK]".
    """
    rules: list[dict[str, Any]] = [{"type": "Replace", "pattern": {"Regex": HTML_BREAK}, "content": " "}]
    if text.strip_accents:
        marks = "".join(map(chr, reordering_marks()))
        rules.append({"type": "Replace", "pattern": {"Regex": f"[{marks}]"}, "content": ""})
    rules.append(
        {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": text.strip_accents,
            "lowercase": text.lowercase,
        }
    )
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": rules},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": PREFIX, "cleanup": True} if _pieces(text) else None,
        "model": _model(text),
    }


def _pieces(text: "Text") -> bool:
    return text.tokenizer == "wordpiece"


def _model(text: "Text") -> dict[str, Any]:
    vocabulary = {token: index for index, token in enumerate(text.vocabulary)}
    unknown = text.vocabulary[text.unknown_id]
    if not _pieces(text):
        return {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown}
    return {
        "type": "WordPiece",
        "unk_token": unknown,
        "continuing_subword_prefix": PREFIX,
        "max_input_chars_per_word": LONGEST_WORD,
        "vocab": vocabulary,
    }

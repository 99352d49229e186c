"""The vocabulary of a folder of Hugging Face, and how texts were prepared for it."""

from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json

_LIST, _FAST, _OPTIONS = "vocab.txt", "tokenizer.json", "tokenizer_config.json"


def read_tokenizer(folder: Path, config: dict[str, Any]) -> tuple[list[str], bool, bool]:
    """Tokens by id, whether texts are turned into lower case, whether accents are taken away.

    tokenizer.json comes first, as in transformers, then vocab.txt with tokenizer_config.json. Where nothing says so,
    texts are turned into lower case if no token but the special ones has upper case, and accents go with it.

    Args:
        folder: of Hugging Face.
        config: what config.json holds.

    Raises:
        InputError: if there is no vocabulary, or its tokenizer is not the WordPiece of BERT.
    """
    where = str(folder)
    if config.get("pad_token_id") not in (0, None):
        raise InputError(
            "the padding token must have id 0", received=config["pad_token_id"], where=f"pad_token_id in {where}"
        )
    if not (folder / _LIST).is_file() and not (folder / _FAST).is_file():
        raise InputError(
            "this folder holds a backbone without its vocabulary",
            received=where,
            where=f"{_LIST} is missing, and so is {_FAST}",
            hint="Save the tokenizer to the same folder: tokenizer.save_pretrained(folder).",
        )
    try:
        options = read_json(folder / _OPTIONS) if (folder / _OPTIONS).is_file() else {}
        if (folder / _FAST).is_file():
            return _fast(read_json(folder / _FAST), where)
        lines = (folder / _LIST).read_text(encoding="utf-8").split("\n")
        vocabulary = [line.rstrip("\r") for line in (lines if lines[-1] else lines[:-1])]
        _refuse(options.get("tokenize_chinese_chars"), False, "tokenize_chinese_chars is false", where)
        lowercase = options.get("do_lower_case")
        accents = options.get("strip_accents")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the tokenizer cannot be read: {type(error).__name__}: {error}", where=where) from error
    if lowercase is None:
        lowercase = not any(token != token.lower() for token in vocabulary if not token.startswith("["))
    return vocabulary, bool(lowercase), bool(lowercase if accents is None else accents)


def _fast(tokenizer: dict[str, Any], where: str) -> tuple[list[str], bool, bool]:
    """The same from tokenizer.json; refuses what is not BERT's way."""
    model, normalizer = tokenizer["model"], tokenizer.get("normalizer") or {}
    if model.get("type", "WordPiece") != "WordPiece" or isinstance(model["vocab"], list):
        raise InputError(
            "the tokenizer is of a kind that is not supported yet",
            received=model.get("type"),
            where=where,
            allowed="WordPiece",
        )
    prefix = model.get("continuing_subword_prefix", "##")
    _refuse(prefix != "##", True, f"its pieces begin with {prefix!r}, not '##'", where)
    longest = model.get("max_input_chars_per_word", 100)
    _refuse(longest != 100, True, f"it takes words of up to {longest} characters, not 100", where)
    kind = normalizer.get("type")
    _refuse(kind != "BertNormalizer", True, f"its normaliser is {kind}, not BertNormalizer", where)
    for option in ("clean_text", "handle_chinese_chars"):
        _refuse(normalizer.get(option, True), False, f"{option} is false", where)
    ids = dict(model["vocab"]) | {added["content"]: added["id"] for added in tokenizer.get("added_tokens") or []}
    vocabulary = sorted(ids, key=ids.__getitem__)
    if [ids[token] for token in vocabulary] != list(range(len(ids))):
        raise InputError("the ids of the vocabulary have gaps or doubles", received=len(ids), where=where)
    lowercase, accents = normalizer.get("lowercase", True), normalizer.get("strip_accents")
    return vocabulary, bool(lowercase), bool(lowercase if accents is None else accents)


def _refuse(value: Any, refused: Any, why: str, where: str) -> None:
    if value is refused:
        raise InputError(f"the tokenizer works in a way that is not supported: {why}", where=where)

"""The files of a `Text`: text.json, tokenizer.json, characters.npz."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.inputs.normalise import CharacterTable
from kerasft.inputs.tokenizer_json import tokenizer_json

if TYPE_CHECKING:
    from kerasft.inputs.text import Text

FORMAT = 1
"""Raised when an older kerasft can no longer read what a newer one writes."""

_OPTIONS = ("tokenizer", "max_tokens", "truncate", "lowercase", "strip_accents")


def save(text: "Text", folder: Path) -> None:
    """Writes a `Text`; text.json comes last, so that a folder with it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    text.table.save(folder / "characters.npz")
    write_json(folder / "tokenizer.json", tokenizer_json(text))
    write_json(folder / "text.json", {"format": FORMAT, **text.spec(), "digest": text.digest()})


def load(cls: type["Text"], folder: Path) -> "Text":
    """Reads a `Text`, and checks that its files belong together."""
    header = _read(folder / "text.json")
    version = header.get("format")
    if not isinstance(version, int) or header.get("type") != "text":
        raise _broken(folder / "text.json", "it does not describe a text input")
    if version > FORMAT:
        raise InputError(
            "this text input was written by a newer version of kerasft",
            received=f"format {version}",
            where=str(folder / "text.json"),
            allowed=f"format {FORMAT} and older",
            hint="Update kerasft",
        )
    model = _read(folder / "tokenizer.json").get("model", {})
    try:
        vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
        text = cls(vocabulary, _table(folder / "characters.npz"), **{name: header[name] for name in _OPTIONS})
        whole = text.digest() == header["digest"]
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(folder, f"{type(error).__name__}: {error}") from error
    if not whole:
        raise _broken(folder, "its files do not belong together: the digest differs")
    return text


def _read(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except FileNotFoundError:
        raise InputError("a file of the text input is missing", where=str(path)) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(value, dict):
        raise _broken(path, "it holds no JSON object")
    return value


def _table(path: Path) -> CharacterTable:
    try:
        return CharacterTable.load(path)
    except FileNotFoundError:
        raise InputError("a file of the text input is missing", where=str(path)) from None
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from error


def _broken(path: Path, why: str) -> InputError:
    return InputError(f"the text input cannot be read: {why}", where=str(path), hint="Save or copy it again")

"""What a model card says of a model's inputs: what each takes, how to ask, what each gives."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kerasft.evaluation.overview import modalities_part
from kerasft.evaluation.result import RunResult
from kerasft.evaluation.shown import percent
from kerasft.export.card_words import code, plain, table

_B64 = {"b64": "..."}
_MOST_COLUMNS = 20


def kinds_of(result: RunResult, inputs: Sequence[str] | None) -> dict[str, str]:
    """Each input's type by name: that of its spec, else its name where that is a type, else text."""
    names = list(inputs or result.inputs or ["text"])
    specs = result.input_specs or {}
    known = ("text", "image", "audio", "tabular")
    return {name: (specs.get(name) or {}).get("type") or (name if name in known else "text") for name in names}


def inputs_section(result: RunResult, kinds: Mapping[str, str]) -> Iterator[str]:
    """A line an input: what it takes; nothing where there is one text and no spec of it."""
    specs = result.input_specs or {}
    if not specs or list(kinds.values()) == ["text"]:
        return
    yield from ("", "## Inputs", "")
    for name, kind in kinds.items():
        yield f"- `{code(name)}` ({kind}): {_TAKES.get(kind, _other)(specs.get(name) or {})}."
    if len(kinds) > 1:
        yield from ("", "Any input may be missing, as long as one is there: its value is then None or an empty string")
        yield "(NaN for a number), and the answer names the inputs that it used."


def _text(spec: Mapping[str, Any]) -> str:
    parts = ["a string"]
    parts += [f"of which {spec['max_tokens']:,} tokens count"] if spec.get("max_tokens") else []
    parts += [f"vocabulary of {spec['vocabulary_size']:,}"] if spec.get("vocabulary_size") else []
    return ", ".join(parts)


def _image(spec: Mapping[str, Any]) -> str:
    size = spec.get("size") or []
    said = "the bytes of a JPEG, PNG, WebP, BMP or GIF file (its first frame), upright by Exif"
    fits = {"crop": "cropped", "pad": "padded", "stretch": "stretched"}
    return said + (f", {fits.get(spec.get('fit'), 'fitted')} to {size[0]} x {size[1]} pixels" if len(size) == 2 else "")


def _audio(spec: Mapping[str, Any]) -> str:
    parts = ["the bytes of a WAV, FLAC or Ogg file, mixed to one channel"]
    parts += [f"resampled to {spec['sample_rate']:,} Hz"] if spec.get("sample_rate") else []
    parts += [f"cut or padded to {spec['seconds']:g} s"] if spec.get("seconds") else []
    names = {"logmel": "log-mel bands", "mfcc": "MFCC", "stft": "log power spectra"}
    parts += [f"taken as {names.get(spec['features'], plain(spec['features']))}"] if spec.get("features") else []
    return ", ".join(parts) + "; the SavedModel takes WAV of 16-bit PCM"


def _tabular(spec: Mapping[str, Any]) -> str:
    numbers, categories = spec.get("number_names") or [], spec.get("category_names") or []
    parts = [f"numbers {_listed(numbers)}"] if numbers else []
    parts += [f"categories {_listed(categories)}"] if categories else []
    return "a record of columns" + (f": {'; '.join(parts)}" if parts else "")


def _other(spec: Mapping[str, Any]) -> str:
    return plain(spec.get("type", "raw values"))


_TAKES = {"text": _text, "image": _image, "audio": _audio, "tabular": _tabular}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
    return ", ".join(f"`{code(name)}`" for name in names[:_MOST_COLUMNS]) + more


def modalities_section(result: RunResult) -> Iterator[str]:
    """What each input gives, as a table."""
    part = modalities_part(result.modalities)
    if part is None:
        return
    yield from ("", f"## What each input gives{' (synthetic data)' if result.synthetic else ''}", "")
    yield from (plain(part["caption"]), "")
    rows = [[plain(row["name"]), *(percent(value) for value in row["figures"]), row["points"]] for row in part["rows"]]
    yield from table(["inputs", *(plain(name) for name in part["columns"]), "against all"], rows)


def usage_section(result: RunResult, kinds: Mapping[str, str], title: str) -> Iterator[str]:
    """How to ask the bundle, with and without TensorFlow."""
    name = re.sub(r"[^\w.-]+", "_", title) or "model"
    specs = result.input_specs or {}
    texts_only = set(kinds.values()) == {"text"}
    instance: dict[str, Any] = {}
    for key, kind in kinds.items():
        instance |= _instance(key, kind, specs.get(key) or {})
    yield from ("", "## Use", "", "Without TensorFlow and Keras, on the folder that holds the version folders:", "")
    yield from ("```python", "from kerasft.runtime import Predictor", "")
    yield from (f'Predictor("{name}")({_columns(kinds, specs)})', "```", "")
    yield f"With TensorFlow Serving, signature `serving_default` ({_ins(kinds)} in; {_outs(result, kinds)} out):"
    yield from ("", "```", f"POST /v1/models/{name}:predict")
    yield from (f'{{"instances": [{json.dumps(instance, ensure_ascii=False)}]}}'.replace("`", "'"), "```", "")
    if not texts_only and {"image", "audio"} & set(kinds.values()):
        yield 'Files are sent in base64, as {"b64": "..."}.'
    if texts_only:
        yield "The signature `tokens` takes token ids, int32 [batch, time], padded on the right with 0."
    else:
        yield "The signature `arrays` takes what the model takes: an array an input"
        yield "and, where there are several inputs, `<input>_present`, float32 [batch], 1 where it is there and else 0."


def _instance(name: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    if kind in ("image", "audio"):
        return {f"{name}_bytes": _B64}
    if kind == "tabular":
        return {_signature_name(column): value for column, value in _record(spec).items()}
    return {name: "A text."}


def _signature_name(column: str) -> str:
    """The name of a column's tensor, as `Tabular.signature_names` makes it."""
    name = re.sub("[^A-Za-z0-9_]", "_", column)
    return name if name[:1].isalpha() else f"column_{name}"


def _record(spec: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        **dict.fromkeys(spec.get("number_names") or [], 1.0),
        **dict.fromkeys(spec.get("category_names") or [], "a"),
    }
    return dict(list(names.items())[:_MOST_COLUMNS]) or {"column": 1.0}


def _columns(kinds: Mapping[str, str], specs: Mapping[str, Any]) -> str:
    values = {
        name: {"image": '["photo.jpg"]', "audio": '["sound.wav"]', "text": '["A text."]'}.get(kind)
        or json.dumps([_record(specs.get(name) or {})], ensure_ascii=False).replace("`", "'")
        for name, kind in kinds.items()
    }
    if len(values) == 1:
        return next(iter(values.values()))
    return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {value}" for name, value in values.items()) + "}"


def _ins(kinds: Mapping[str, str]) -> str:
    found = set(kinds.values())
    words = ["strings"] if "text" in found else []
    words += ["bytes of files"] if found & {"image", "audio"} else []
    words += ["a tensor a column"] if "tabular" in found else []
    return " and ".join(words) or "strings"


def _outs(result: RunResult, kinds: Mapping[str, str]) -> str:
    if result.several:
        names = [f"`{code(name)}_scores` and `{code(name)}_label`" for name in result.targets or {}]
        words = ", ".join(names)
    else:
        words = "`scores` and `label`"
    return words + (", and `used`" if len(kinds) > 1 else "")

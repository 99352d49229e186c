"""What a page or a client may want to know of a served model."""

from typing import Any

from kerasft.runtime.server.version import Version

_LONGEST_CARD = 100_000
_MOST_CHOICES = 200


def described(version: Version) -> dict[str, Any]:
    """A served version: its raw inputs, its targets with their labels, its card.

    Returns:
        "name", "version"; "inputs": {"key", "kind", "medium", "optional", "choices"} each, the last being the most
        frequent of the learnt categories; "targets": labels by target, empty for an embedding; "masked": whether
        inputs may be missing; "card": MODEL_CARD.md's text, or "".
    """
    predictor = version.predictor
    choices = {
        column: texts
        for item in predictor.inputs.values()
        if item.type_name == "tabular"
        for column, texts in item.categories.items()
    }
    card = predictor.folder / "MODEL_CARD.md"
    return {
        "name": version.name,
        "version": str(version.number),
        "inputs": [
            {
                "key": item.key,
                "kind": item.kind,
                "medium": item.medium,
                "optional": item.optional,
                "choices": choices.get(item.column, [])[:_MOST_CHOICES],
            }
            for item in version.raw.by_key.values()
        ],
        "targets": {target: list(part.labels) for target, part in predictor.task.parts.items()},
        "masked": predictor.masked,
        "card": card.read_text(encoding="utf-8")[:_LONGEST_CARD] if card.is_file() else "",
    }

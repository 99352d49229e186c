"""What the folder of an encoder says of it before it is opened, for defaults that suit it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def config_of(backbone: str | None) -> Mapping[str, Any]:
    """What a backbone's config.json says; nothing where it cannot be read, which is told when it is opened."""
    try:
        config = json.loads((Path(backbone or "") / "config.json").read_text(encoding="utf-8"))
        found = config.get("config", config)
    except (OSError, ValueError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def first_of(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of these names that a whole number stands under."""
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def positions_of(backbone: str | None) -> int | None:
    """The longest sequence that a backbone reads, as KerasHub or Hugging Face says it; None where neither does."""
    return first_of(config_of(backbone), ("max_sequence_length", "max_position_embeddings"))

"""Text backbones from folders of Hugging Face."""

from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.models import text_backbone


def load_hugging_face(folder: Path, config: dict[str, Any]) -> "text_backbone.TextBackbone":
    """Reads a folder of Hugging Face."""
    raise InputError("folders of Hugging Face cannot be read yet", received=str(folder))

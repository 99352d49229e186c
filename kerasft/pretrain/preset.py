"""The preset folder that pretraining leaves, whole or not at all."""

import os
import zipfile
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import check_can_write, folder_aside, read_json, write_json
from kerasft.models.masked_lm import head_weights, trained_backbone
from kerasft.models.text_backbone import TextBackbone

MARK = "pretraining.json"
"""The file that tells a preset of this project from other folders."""

HEAD = "masked_lm_head.npz"
"""What a preset has no place for: the weights on top of the encoder, for pretraining that goes on from here."""


def check_preset_target(folder: Path, start: str | None = None) -> None:
    """Refuses a folder that holds something else than an earlier preset of pretraining.

    Args:
        folder: where a preset is to stand.
        start: the preset or folder that training starts from, which must not be the same one.

    Raises:
        InputError: naming the folder.
    """
    if start is not None and folder.exists() and Path(start).exists() and folder.samefile(start):
        raise InputError(
            "the preset would take the place of the one that training starts from, and no run could be repeated",
            received=str(folder),
            where="--export and --backbone",
            hint="Name another --export.",
        )
    if folder.is_file():
        raise InputError("the export folder is a file", received=str(folder), where="--export")
    check_can_write(folder, "the export folder", "--export")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise InputError(
            "the export folder holds something else than a pretrained preset",
            received=str(folder),
            where="--export",
            hint="Name a new folder; nothing was overwritten.",
        )


def write_preset(
    folder: Path,
    model: keras.Model,
    backbone: TextBackbone,
    trained_positions: int | None,
    card: str,
    facts: Any,
    start: np.ndarray | None = None,
) -> Path | None:
    """Writes the preset that `keras_hub.models.Backbone.from_preset` opens, and takes the place of an earlier one.

    An earlier preset of the same run, or of generated texts, goes; that of another run may have taken hours, and is
    kept beside as FOLDER.1, FOLDER.2 and so on.

    Args:
        folder: the preset's folder.
        model: the trained `masked_lm`.
        backbone: what it was made of.
        trained_positions: how many positions were trained, if the backbone was new; the others continue them, see
            `continued_positions`. None for one that was trained before.
        card: the model card, as Markdown.
        facts: what pretraining measured, for pretraining.json.
        start: the position table before training, where it told places; None: noise.

    Returns:
        Where an earlier preset now is, if one was kept.
    """
    check_preset_target(folder)
    trained = trained_backbone(model, backbone)
    if trained_positions is not None and trained_positions < backbone.max_length:
        table = trained.position_embedding
        table.set_weights([continued_positions(table.get_weights()[0], trained_positions, start)])
    with folder_aside(folder) as temporary:
        made = temporary / folder.name
        replace(backbone, model=trained).save(made)
        (made / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        np.savez(made / HEAD, **head_weights(model))
        write_json(made / MARK, facts)
        return _take_place(made, folder)


def read_head(folder: str | Path) -> dict[str, np.ndarray] | None:
    """The weights on top of the encoder that pretraining left in a preset folder; None where there are none.

    Raises:
        InputError: if the file cannot be read.
    """
    path = Path(folder) / HEAD
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"the head of the masked language model cannot be read ({error})", where=str(path)) from error


def continued_positions(table: np.ndarray, trained: int, start: np.ndarray | None = None) -> np.ndarray:
    """Position vectors beyond those that were trained.

    Args:
        table: float32 [positions, width].
        trained: how many of its rows, the first ones, were trained.
        start: the table before training; None: noise, which tells nothing.

    Returns:
        The table whose other rows are their start and what training added to rows 1 to trained - 1, one after another
        (Beltagy et al. 2020, arXiv:2004.05150, section 5, copy without a start).
    """
    rows = np.arange(len(table))
    like = np.where(rows < trained, rows, 1 + (rows - trained) % (trained - 1))
    return table[like] if start is None else start + (table - start)[like]


def _take_place(made: Path, folder: Path) -> Path | None:
    """Renames a finished folder; an earlier preset goes, or goes aside, only once the new one is whole."""
    kept = None
    if folder.exists():
        kept = _name_beside(folder) if _is_of_another_run(folder, made) else None
        os.rename(folder, kept or made.with_name(f"{folder.name}.before"))  # which goes with the folder around it
    os.rename(made, folder)
    return kept


def _is_of_another_run(folder: Path, new: Path) -> bool:
    """Whether a preset took training that the new one does not repeat, on texts that were not generated."""
    try:
        earlier = read_json(folder / MARK)
    except (OSError, ValueError):
        return any(folder.iterdir())
    return earlier != read_json(new / MARK) and not earlier.get("synthetic", False)


def _name_beside(folder: Path) -> Path:
    return next(path for number in count(1) if not (path := folder.with_name(f"{folder.name}.{number}")).exists())

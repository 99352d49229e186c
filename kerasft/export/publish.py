"""Learner to a published bundle: built aside, proved equal, and only then given its version number."""

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from kerasft.base.errors import InputError
from kerasft.base.files import check_can_write, folder_aside, write_json
from kerasft.export import worker
from kerasft.export.parity import TOLERANCE
from kerasft.export.reference import make_reference
from kerasft.runtime.bundle import is_version

if TYPE_CHECKING:
    from kerasft.export.bundle import Bundle
    from kerasft.learner import Learner

_log = logging.getLogger(__name__)
Card = Callable[[Path, dict[str, Any]], None]


def export(
    learner: "Learner",
    target: str | Path,
    *,
    verify_on: Mapping[str, Any],
    metrics: dict[str, Any] | None = None,
    card: Card | str | None = None,
    columns: dict[str, str] | None = None,
    rows: int = 1_000,
    tolerance: float = TOLERANCE,
    int8: bool = False,
) -> "Bundle":
    """Builds a bundle, proves on held-out rows that it answers as the model does, and publishes it.

    Everything is written to a temporary folder beside `target`. Only when every path agrees is it renamed
    to the next version, `target/1`, `target/2`, ..., so a server that watches the folder never sees half a
    model. A learner of another backend is rebuilt under TensorFlow in a process of its own.

    Args:
        learner: the trained learner.
        target: the bundle's folder; made where it is missing.
        verify_on: held-out rows, a column of raw values by input name; best the test split.
        metrics: figures for `metrics.json`, or None for no such file.
        card: the text of `MODEL_CARD.md`; or a function that writes it, called with the folder and the
            parity report; or None for no card.
        columns: the source's column of each input, or a template over columns, kept for scoring files.
        rows: held-out rows to verify with, default 1,000; at least 256 are taken, or all there are.
        tolerance: largest difference of a score. Default 1e-5.
        int8: also write an int8 model, if it measures faster and loses less than 0.5 points of accuracy on the
            held-out rows, which then need their labels; see `add_int8`. Default False.

    Returns:
        The published version.

    Raises:
        InputError: if `target` is not a bundle's folder, the disk is full, or the learner has no export.
        ParityError: if any path answers otherwise than the model; nothing was published.

    Example:
        bundle = export(learner, "exported/imdb_lstm", verify_on=rows.test)
        bundle.path  # exported/imdb_lstm/1
    """
    from kerasft.export.bundle import Bundle
    from kerasft.export.int8 import add_int8, check_labelled
    from kerasft.export.twin import is_mixed, mixed_precision, served_twin

    target = check_target(target)
    if int8:
        check_labelled(learner, verify_on)
    served = served_twin(learner)
    reference = make_reference(served, verify_on, rows)
    mixed = mixed_precision(learner, reference) if is_mixed(learner) else None
    with _room_to_write(target), folder_aside(target) as folder:
        if keras.backend.backend() == "tensorflow":
            parity = worker.build(served, folder, target.name, reference, tolerance, columns)
        else:
            parity = worker.build_in_process(served, folder, target.name, reference, tolerance, columns)
        if int8:
            parity["variants"] = {"int8": add_int8(served, folder, reference, verify_on)}
        if mixed is not None:
            parity["trained_in_mixed_precision"] = mixed
        write_json(folder / "parity.json", parity)
        if metrics is not None:
            write_json(folder / "metrics.json", metrics)
        if isinstance(card, str):
            (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        elif card is not None:
            card(folder, parity)
        version = _publish(folder, target)
    _log.info("published %s version %d", target, version)
    return Bundle(target / str(version), version, parity)


def check_target(target: str | Path) -> Path:
    """The bundle's folder, if an export may go there: missing, empty, or holding version folders only.

    Raises:
        InputError: if it is a file, a folder that holds something else, or stands where nothing can be written.
    """
    target = Path(target).absolute()
    if target.is_file():
        raise InputError("an export goes to a folder, and this is a file", received=str(target), where="--export")
    check_can_write(target, "the export folder", "--export")
    if target.parent.exists():  # where a version is built, beside it
        check_can_write(target.parent, "the export folder", "--export")
    if not target.exists():
        return target
    foreign = sorted(path.name for path in target.iterdir() if not (path.is_dir() and is_version(path)))
    if foreign:
        raise InputError(
            "this folder is not a bundle, so no version is written into it",
            received=str(target),
            where=f"it holds {', '.join(foreign[:5])}{', ...' if len(foreign) > 5 else ''}",
            allowed="a missing or empty folder, or one with version folders 1, 2, ... only",
            hint="Give another folder to --export.",
        )
    return target


@contextmanager
def _room_to_write(target: Path) -> Iterator[None]:
    """Says plainly that the disk is full, whichever library ran into it."""
    try:
        yield
    except Exception as error:
        if not _is_disk_full(error):
            raise
        raise InputError(
            "there is no space left on the disk, so nothing was exported",
            received=str(target),
            where="--export",
            hint="Free some space, or give a folder on another disk.",
        ) from error


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "No space left on device" in str(error)  # TensorFlow's own writers raise errors of their own types


def _publish(folder: Path, target: Path) -> int:
    """Renames the finished folder to the next free version number; two exports at once get two numbers."""
    target.mkdir(exist_ok=True)
    while True:
        taken = [int(path.name) for path in target.iterdir() if is_version(path)]
        version = max(taken, default=0) + 1
        try:
            os.rename(folder, target / str(version))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            continue  # another export took this number in between
        return version


def read_parity(bundle: Path) -> dict[str, Any]:
    """The parity report of a published version."""
    return json.loads((bundle / "parity.json").read_text(encoding="utf-8"))

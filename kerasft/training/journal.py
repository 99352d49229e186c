"""What training measured, epoch by epoch."""

import csv
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from kerasft.base.files import atomic_file
from kerasft.training.callbacks import Remembering
from kerasft.training.feed import Feed


@dataclass(frozen=True)
class History:
    """What `fit` returns.

    Args:
        rows: one dict an epoch, as in history.csv: epoch (from 1), loss, the metrics, val_loss and so on,
            learning_rate, seconds (of training), validation_seconds, documents_per_second, waiting (share of
            the seconds spent waiting for data), documents_per_second_computing (without the waiting).
        best_epoch: the best epoch by the monitor, from 1; None where the monitor was not measured.
        stopped_early: whether early stopping ended training.
        features_seconds: what the features of a frozen backbone took before, whenever they were computed.

    Example:
        history.column("val_loss")
    """

    rows: list[dict[str, Any]]
    best_epoch: int | None = None
    stopped_early: bool = False
    features_seconds: float = 0.0

    def column(self, name: str) -> list[Any]:
        """One value an epoch."""
        return [row[name] for row in self.rows]


class Journal(Remembering):
    """Makes a row of measurements an epoch and keeps history.csv up to date.

    Args:
        path: the csv file.
        feed: the train feed, for the wait for data.
        optimizer: for the learning rate.
        documents: train rows an epoch.
    """

    name = "journal"

    def __init__(self, path: Path, feed: Feed, optimizer: keras.optimizers.Optimizer, documents: int):
        super().__init__()
        self.path, self.feed, self.optimizer, self.documents = path, feed, optimizer, documents
        self.rows: list[dict[str, Any]] = []
        self._earlier = {"seconds": 0.0, "waited": 0.0}  # of this epoch, in processes that ended
        self._began: float | None = None
        self._trained: float | None = None

    def memory(self) -> dict[str, Any]:
        """The rows, and the time spent on the epoch so far."""
        return {"rows": self.rows, **self._spent()}

    def recall(self, memory: dict[str, Any]) -> None:
        """Takes back what `memory` told, and rewrites the csv file."""
        self.rows = memory["rows"]
        self._earlier = {key: memory[key] for key in self._earlier}
        if self.rows:
            write_csv(self.path, self.rows)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the clock."""
        self.feed.waited = 0.0
        self._began, self._trained = time.perf_counter(), None

    def on_test_begin(self, logs: Any = None) -> None:
        """Training of the epoch is over, validation begins."""
        self._trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the epoch's row."""
        ended = time.perf_counter()
        validation = ended - self._trained if self._trained else 0.0
        spent = self._spent()
        seconds, waited = spent["seconds"], min(spent["waited"], spent["seconds"])
        self.rows.append(
            {
                "epoch": epoch + 1,
                **{name: float(value) for name, value in (logs or {}).items()},
                "learning_rate": float(keras.ops.convert_to_numpy(self.optimizer.learning_rate)),
                "seconds": round(seconds, 3),
                "validation_seconds": round(validation, 3),
                "documents_per_second": round(self.documents / max(seconds, 1e-9), 1),
                "documents_per_second_computing": round(self.documents / max(seconds - waited, 1e-9), 1),
                "waiting": round(waited / max(seconds, 1e-9), 4),
            }
        )
        self._began, self._earlier = None, {"seconds": 0.0, "waited": 0.0}
        write_csv(self.path, self.rows)

    def _spent(self) -> dict[str, float]:
        if self._began is None:
            return dict(self._earlier)
        until = self._trained or time.perf_counter()
        return {
            "seconds": self._earlier["seconds"] + until - self._began,
            "waited": self._earlier["waited"] + self.feed.waited,
        }


def write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows with equal keys to a csv file, atomically."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with atomic_file(path, "w") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

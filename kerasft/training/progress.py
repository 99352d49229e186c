"""What a person sees while a model is trained."""

import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kerasft.training.feed import Feed

_REDRAW = 0.2  # seconds


class ProgressBar(keras.callbacks.Callback):
    """A bar an epoch with loss, accuracy, documents/s and time left; in a file or pipe, a line an epoch.

    Args:
        console: where to write.
        feed: the train feed, for the counts of batches and rows.
        epochs: the recipe's epochs.
    """

    def __init__(self, console: Console, feed: Feed, epochs: int):
        super().__init__()
        self.console, self.feed, self.epochs = console, feed, epochs
        self._bar: Progress | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Draws an empty bar."""
        self._began = self._drawn = time.perf_counter()
        self._step = self._rows = 0
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
                console=self.console,
                auto_refresh=False,
                transient=True,
            )
            self._task = self._bar.add_task(
                f"{self.feed.turn} {epoch + 1}/{self.epochs}",
                total=self.feed.skipped + self.feed.num_batches,
                completed=self.feed.skipped,
                figures="",
            )
            self._bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Counts, and redraws five times a second at most."""
        self._rows += len(self.feed.batches[self.feed.skipped + self._step][0])
        self._step += 1
        now = time.perf_counter()
        if self._bar is not None and now - self._drawn >= _REDRAW:
            self._drawn = now
            rate = self._rows / (now - self._began)
            figures = f"{_figures(logs or {}, self.feed.shown)}  {rate:,.0f} {self.feed.counted}/s"
            self._bar.update(self._task, completed=self.feed.skipped + self._step, figures=figures)
            self._bar.refresh()

    def on_test_begin(self, logs: Any = None) -> None:
        """Training of the epoch is over."""
        self._trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Replaces the bar by one line."""
        self.close()
        seconds = max(getattr(self, "_trained", time.perf_counter()) - self._began, 1e-9)
        rate = f"{self._rows / seconds:,.0f} {self.feed.counted}/s"
        figures = _figures(logs or {}, self.feed.shown)
        line = f"{self.feed.turn} {epoch + 1}/{self.epochs}  {figures}  {rate}  {seconds:.0f} s"
        self.console.print(line, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Takes the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _figures(logs: dict[str, float], shown: tuple[str, ...] | None) -> str:
    """The figures of a line; of several targets only those over all, as history.csv has the rest."""
    if shown is not None:
        logs = {name: logs[name] for name in shown if name in logs}
    elif any(name.endswith("_accuracy") and name != "val_accuracy" for name in logs):
        logs = {name: logs[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in logs}
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())

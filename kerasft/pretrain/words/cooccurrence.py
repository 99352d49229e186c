"""Which words stand beside which, and how near: counted over a corpus of any size into files that are memory-mapped."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import folder_once
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import cooccurrence_kernels as kernels
from kerasft.pretrain.words.cooccurrence_rows import let_go, write_rows

logger = logging.getLogger(__name__)

_ARRAYS = ("starts", "columns", "counts")
_LEAST_MEMORY = 1 << 16
_BYTES_A_WORD = 16  # its id and its place, 4 bytes each, in half of the memory
_MOST_WORDS = 1 << 30  # places are of 32 bits


@dataclass(frozen=True)
class Cooccurrence:
    """X of Pennington et al. 2014, section 3: X[i, j] is the sum of 1 / distance over all places of word j near word i.

    X is symmetric; both (i, j) and (j, i) are held, row after row, since a learning step wants the pairs of any set of
    rows without looking through the others, and since whole rows are counted faster than triangles are mirrored.

    Args:
        starts: int64 [vocabulary + 1]; the pairs of the id i are starts[i] to starts[i + 1].
        columns: int32 [pairs], ascending within a row.
        counts: float32 [pairs], over 0.
        folder: where they lie.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> corpus = Ragged.from_rows([[2, 3, 1, 4], [3, 2]])  # 1 is unknown, and as if it were not there
        >>> pairs = Cooccurrence.of(corpus, 5, Path(tempfile.mkdtemp()) / "pairs", window=2)
        >>> [(int(j), float(x)) for j, x in zip(*pairs.row(2))]  # beside the word with id 2
        [(3, 2.0), (4, 0.5)]
    """

    starts: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    folder: Path

    @classmethod
    def of(
        cls,
        corpus: Ragged,
        vocabulary: int,
        folder: str | Path,
        *,
        window: int = 10,
        memory: int = 1 << 30,
        progress: Callable[[int], None] | None = None,
    ) -> "Cooccurrence":
        """Counts a corpus, or maps what an earlier call left in the folder.

        Args:
            corpus: ids of a `Text`, memory-mapped if it is large; 0 and 1 are no words and are left out.
            vocabulary: how many ids there are.
            folder: a folder of its own for the counts; runs that do not fit the memory are kept there meanwhile.
            window: how many words to each side are near. Default 10.
            memory: bytes for what grows with the corpus; some numbers for each id come on top. Default 1 GiB.
            progress: called with the number of ids counted so far.

        Raises:
            InputError: if the window, the memory or an id is out of bounds, or no word stands beside another.
        """
        folder = Path(folder)
        if window < 1:
            raise InputError("a window has a word to each side at least", received=window, where="window")
        if memory < _LEAST_MEMORY:
            raise InputError("counting needs more memory", received=memory, allowed=f"at least {_LEAST_MEMORY} bytes")
        told = progress or (lambda done: None)
        return cls.load(folder_once(folder, lambda path: _count(corpus, vocabulary, window, memory, path, told)))

    @classmethod
    def load(cls, folder: str | Path) -> "Cooccurrence":
        """Maps the counts of a folder.

        Raises:
            InputError: if the folder holds none.
        """
        folder = Path(folder)
        try:
            arrays = [np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS]
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"counts of pairs cannot be read ({error})", where=str(folder)) from error
        if arrays[0][-1] != len(arrays[1]) or len(arrays[1]) != len(arrays[2]):
            raise InputError(
                "counts of pairs are not whole", received=[len(array) for array in arrays], where=str(folder)
            )
        return cls(*arrays, folder)

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return len(self.starts) - 1

    def __len__(self) -> int:
        """How many pairs are held, both orders counted."""
        return len(self.columns)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The columns and counts of one id."""
        part = slice(self.starts[index], self.starts[index + 1])
        return self.columns[part], self.counts[part]


def _count(
    corpus: Ragged, vocabulary: int, window: int, memory: int, folder: Path, progress: Callable[[int], None]
) -> None:
    step = min(memory // _BYTES_A_WORD, _MOST_WORDS)
    stretches = range(0, len(corpus.values), step)
    runs = []
    for number, start in enumerate(stretches):
        run = folder / f"run{number}" if len(stretches) > 1 else folder
        stop = min(start + step, len(corpus.values))
        _count_stretch(corpus, start, stop, vocabulary, window, memory, run)
        runs.append(run)
        let_go(corpus.values)
        progress(stop)
        logger.info("counted %d of %d tokens", stop, len(corpus.values))
    held = [Cooccurrence.load(run) for run in runs if np.load(run / "starts.npy", mmap_mode="r")[-1]]
    if not held:
        raise InputError("no word stands beside another, so there is nothing to count")
    if len(runs) > 1:
        _merge(held, vocabulary, memory, folder)
        for run in runs:
            shutil.rmtree(run)


def _count_stretch(
    corpus: Ragged, start: int, stop: int, vocabulary: int, window: int, memory: int, folder: Path
) -> None:
    """Counts the neighbours of values[start:stop]."""
    values, offsets = corpus.values, corpus.offsets
    bounds = kernels.stretch_bounds(values, offsets, start, stop, window)
    documents = int(np.searchsorted(offsets, bounds[1]) - np.searchsorted(offsets, bounds[0]))
    tokens = np.empty(bounds[1] - bounds[0] + min(documents, bounds[1] - bounds[0]) + 2, np.int32)
    starts = np.zeros(vocabulary + 1, np.int64)
    first, last, wrong = kernels.take_words(values, offsets, bounds, start, stop, tokens, starts)
    if wrong >= 0:
        raise InputError(
            "the corpus has an id that is no word", received=int(values[wrong]), allowed=f"0 to {vocabulary - 1}"
        )
    places = np.empty(starts[-1], np.int32)
    kernels.place_words(tokens, first, last, starts, places)
    weights = np.zeros(window + 1)
    weights[1:] = 1 / np.arange(1, window + 1)
    most = np.minimum(vocabulary, 2 * window * np.diff(starts))

    def rows(low: int, high: int, scratch: tuple, columns: np.ndarray, counts: np.ndarray, lengths: np.ndarray) -> int:
        return kernels.count_rows(tokens, places, starts, low, high, weights, *scratch, columns, counts, lengths)

    write_rows(rows, most, memory, folder)


def _merge(runs: list[Cooccurrence], vocabulary: int, memory: int, folder: Path) -> None:
    """Adds runs, row by row."""
    most = sum((np.diff(run.starts) for run in runs), np.zeros(vocabulary, np.int64))

    def rows(low: int, high: int, scratch: tuple, columns: np.ndarray, counts: np.ndarray, lengths: np.ndarray) -> int:
        spans = [slice(run.starts[low], run.starts[high]) for run in runs]
        starts = np.stack([run.starts[low : high + 1] - run.starts[low] for run in runs])  # [runs, rows + 1]
        starts += np.cumsum([0, *(span.stop - span.start for span in spans[:-1])])[:, None]
        held = [
            np.concatenate([getattr(run, name)[span] for run, span in zip(runs, spans, strict=True)])
            for name in _ARRAYS[1:]
        ]
        return kernels.add_runs(*held, starts, *scratch, columns, counts, lengths[low:high])

    write_rows(
        rows, most, memory, folder, lambda: [let_go(array) for run in runs for array in (run.columns, run.counts)]
    )

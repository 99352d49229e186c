"""What is done of an output, kept in a folder beside it until the whole is there: a killed run goes on after it."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from kerasft.base.errors import InputError
from kerasft.base.files import read_json, write_json
from kerasft.base.sole import LOCK, sole_use
from kerasft.runtime.readers import START, Place
from kerasft.runtime.writers import Write, Writer

MANIFEST = "manifest.json"
SECONDS = 5.0
"""After so long a part is closed, at the end of a chunk: about what a kill costs."""

_FORMAT = 1
_PART, _JOINED = ".part.tmp", ".joined.tmp"
_ABOUT = "Rows that are answered already. The same command goes on after them; with --restart it starts anew."
_in_use: set[Path] = set()


@dataclass(frozen=True)
class Done:
    """How far the complete parts go: how many, their rows and bytes, and where the input was then."""

    parts: int = 0
    rows: int = 0
    bad_rows: int = 0
    bytes: int = 0
    end: Place = START
    read: int = 0


class Parts:
    """The parts of one output; made by `open_parts`.

    Attributes:
        done: what the complete parts hold.
    """

    def __init__(self, target: Path, folder: Path, writer: Writer, work: Mapping[str, Any], seconds: float):
        self.done = Done()
        self._target, self._folder, self._writer = target, folder, writer
        self._work, self._seconds = dict(work), seconds
        self._file: IO[bytes] | None = None
        self._part: AbstractContextManager[Write]
        self._write: Write
        self._begun = 0.0
        self._pending = Done()

    def find(self, restart: bool) -> None:
        """Takes up what an earlier run left, or throws it away."""
        if restart or not self._left():
            self.clear()
            self._tell()

    def _left(self) -> bool:
        """Whether there are parts to go on after."""
        path = self._folder / MANIFEST
        if not path.exists():
            return False
        try:
            manifest = read_json(path)
            work, done = manifest["work"], Done(**{**manifest["done"], "end": Place(*manifest["done"]["end"])})
            if manifest["format"] != _FORMAT:
                raise ValueError(f"format {manifest['format']} where {_FORMAT} is wanted")
        except (ValueError, KeyError, TypeError) as error:
            raise self._refused("the parts that lie beside the output cannot be read", repr(error)) from None
        if not done.parts:
            return False
        differing = [
            f"{name} ({_short(work.get(name))} then, {_short(self._work.get(name))} now)"
            for name in dict.fromkeys([*self._work, *work])
            if work.get(name) != self._work.get(name)
        ]
        if differing:
            what = "parts of other work lie beside the output; what differs: " + ", ".join(differing)
            raise self._refused(what, f"{done.rows:,} rows answered")
        paths = map(self._path, range(done.parts))
        there = [path.stat().st_size for path in paths if path.exists()]
        if (len(there), sum(there)) != (done.parts, done.bytes):
            received = f"{len(there)} parts of {sum(there)} bytes where there were {done.parts} of {done.bytes}"
            raise self._refused("the parts that lie beside the output are damaged", received)
        self.done = self._pending = done
        return True

    def _refused(self, what: str, received: str) -> InputError:
        hint = "Run what was run then to go on, name another --output, or add --restart to throw the parts away."
        return InputError(what, received=received, where=str(self._folder), hint=hint)

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:06}"

    def add(self, values: Mapping[str, Sequence[Any]], rows: int, bad_rows: int, end: Place, read: int) -> None:
        """Writes rows; from time to time that completes a part.

        Args:
            values: the rows, by column.
            rows: how many.
            bad_rows: how many of them have no answer.
            end: where to go on in the input.
            read: how much of the input's size that is.
        """
        if self._file is None:
            self._file = open(self._folder / _PART, "wb")  # noqa: SIM115 - open until the part is complete
            self._part = self._writer.part(self._file)
            self._write, self._begun = self._part.__enter__(), time.monotonic()
        self._write(values)
        before = self._pending
        self._pending = Done(
            before.parts, before.rows + rows, before.bad_rows + bad_rows, before.bytes, end=end, read=read
        )
        if time.monotonic() - self._begun >= self._seconds:
            self._complete()

    def _complete(self) -> None:
        """Gives the part its name, and only then counts it: killed between the two, a run writes it again."""
        if self._file is None:
            return
        self._part.__exit__(None, None, None)
        _flush(self._file)
        size = self._file.tell()
        self.close()
        os.replace(self._folder / _PART, self._path(self._pending.parts))
        done = asdict(self._pending) | {"parts": self._pending.parts + 1, "bytes": self._pending.bytes + size}
        self.done = self._pending = Done(**done | {"end": self._pending.end})
        self._tell()

    def _tell(self) -> None:
        done = asdict(self.done) | {"end": list(self.done.end)}
        value = {"about": _ABOUT, "format": _FORMAT, "work": self._work, "done": done}
        write_json(self._folder / MANIFEST, value)

    def finish(self) -> None:
        """Joins all rows into the output, which takes its name at once."""
        self._complete()
        with open(self._folder / _JOINED, "wb") as file:
            self._writer.join(file, self._opened())
            _flush(file)
        os.replace(self._folder / _JOINED, self._target)
        self.done = Done()

    def _opened(self) -> Iterator[IO[bytes]]:
        for number in range(self.done.parts):
            with open(self._path(number), "rb") as file:
                yield file

    def close(self) -> None:
        """Closes the part that is not complete."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def clear(self) -> None:
        """Removes what this class writes; the manifest first, so that no half-removed parts ever count."""
        for path in [self._folder / MANIFEST, *self._folder.iterdir()]:
            if _own(path):
                path.unlink(missing_ok=True)


@contextmanager
def open_parts(
    target: Path, writer: Writer, work: Mapping[str, Any], restart: bool = False, seconds: float = SECONDS
) -> Iterator[Parts]:
    """Opens the folder of an output's parts, which is kept when the block ends with an error and any are complete.

    Args:
        target: the output.
        writer: how its rows are written.
        work: what decides the output's content, JSON-able values under names that a user understands.
        restart: whether what an earlier run left is thrown away.
        seconds: how long a part is written to.

    Raises:
        InputError: if another process is at this output, or what lies there is of other work or damaged.

    Example:
        with open_parts(Path("scored.csv"), writer, {"input bytes": 1_000}) as parts:
            parts.add(values, rows=2, bad_rows=0, end=chunk.end, read=chunk.read)
            parts.finish()
    """
    folder = parts_folder(target)
    with _locked(folder, target):
        strange = sorted(path.name for path in folder.iterdir() if not _own(path) and path.name != LOCK)
        if strange:
            raise InputError(
                "the folder for parts of the output holds other files",
                received=strange,
                where=str(folder),
                hint="Move it away, or name another --output.",
            )
        parts = Parts(target, folder, writer, work, seconds)
        parts.find(restart)
        try:
            yield parts
        finally:
            parts.close()
            if not parts.done.parts:
                parts.clear()


def parts_folder(target: Path) -> Path:
    """Where the parts of an output lie."""
    return target.with_name(f"{target.name}.parts")


@contextmanager
def _locked(folder: Path, target: Path) -> Iterator[None]:
    if folder.absolute() in _in_use:  # by another thread, which the lock would let in
        raise InputError("the output is being written already", received=str(target), where="--output")
    _in_use.add(folder.absolute())
    try:
        with ExitStack() as stack:
            while True:
                folder.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # another process has just ended, and removed it
                    stack.enter_context(sole_use(folder, "the output", "--output"))
                    break
            yield
    finally:
        _in_use.discard(folder.absolute())
        with suppress(OSError):  # it holds parts, or another process has come
            folder.rmdir()


def _own(path: Path) -> bool:
    return path.name.startswith("part-") or path.name == MANIFEST or path.name.endswith(".tmp")


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:16]}..."

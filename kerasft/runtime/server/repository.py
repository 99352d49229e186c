"""The models that are served: folders are watched, new versions take over, broken ones are refused, old ones drain."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kerasft.base.errors import InputError, did_you_mean
from kerasft.runtime.bundle import DESCRIPTION, ONNX_FOLDER, is_version
from kerasft.runtime.server.batching import Workers
from kerasft.runtime.server.refusal import RefusalError
from kerasft.runtime.server.version import Version

LOADING, AVAILABLE, UNLOADING, END = "LOADING", "AVAILABLE", "UNLOADING", "END"

_log = logging.getLogger(__name__)


@dataclass
class Status:
    """What became of a version; `error` says why it is not served."""

    state: str
    error: str = ""


@dataclass
class Model:
    """A served model: its folder, its versions in use, and what became of all of them."""

    name: str
    folder: Path
    only: int | None = None
    versions: dict[int, Version] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    refused: dict[int, tuple] = field(default_factory=dict)


class Repository:
    """Finds bundles, loads them and keeps up with their folders.

    Args:
        folder: a bundle, one version of it, or a folder of bundles.
        workers: that answer.
        name: what a single bundle is called; None: as its folder.
        keep: how many of the newest versions of each model are served. Default 1.
        labels: "canary" to a version, or "model:canary" where there are several models.
        variant: "int8" or None.
        on_load: told model, version and whether it was loaded.

    Raises:
        InputError: if there is no bundle in the folder.
    """

    def __init__(
        self,
        folder: Path,
        workers: Workers,
        name: str | None = None,
        keep: int = 1,
        labels: Mapping[str, int] | None = None,
        variant: str | None = None,
        on_load: Callable[[str, int, bool], None] = lambda *_: None,
    ):
        if keep < 1:
            raise InputError("at least one version must be served", received=keep, where="--keep-versions")
        self._folder, self._workers, self._keep, self._variant = folder, workers, keep, variant
        self._labels, self._on_load = dict(labels or {}), on_load
        self._stop, self._draining = threading.Event(), []
        self.models: dict[str, Model] = {}
        self._single = _single(folder, name)
        if name is not None and self._single is None:
            raise InputError("one name is given for a folder of bundles", received=name, where="--name")
        if self._single is not None and not _can_be_asked(self._single.name):
            raise InputError(
                "a path cannot name this model",
                received=self._single.name,
                where="--name",
                allowed="a name without colon and slash",
            )
        self.scan()
        if not self.models:
            wrong = "there is no such folder" if not folder.exists() else "this is a file, not a folder of bundles"
            raise InputError(
                "there is no bundle in this folder" if folder.is_dir() else wrong,
                received=str(folder),
                hint="Give the folder that was passed to --export, or the one above it.",
            )
        if not any(model.versions for model in self.models.values()):
            told = "; ".join(
                f"{model.name} {number}: {status.error}"
                for model in self.models.values()
                for number, status in model.statuses.items()
            )
            raise InputError("no bundle could be loaded", received=told, where=str(folder))

    def watch(self, seconds: float) -> None:
        """Looks at the folders again every so many seconds, in a thread, until `close`."""

        def look() -> None:
            while not self._stop.wait(seconds):
                try:
                    self.scan()
                except Exception:  # noqa: BLE001 - the old versions serve on, whatever befell the folder
                    _log.exception("looking at %s failed", self._folder)

        threading.Thread(target=look, name="watch", daemon=True).start()

    def close(self) -> None:
        """Stops watching."""
        self._stop.set()

    def find(self, name: str, version: str | None = None, label: str | None = None) -> Version:
        """The version of a model that a request means.

        Raises:
            RefusalError: 404 if there is none.
        """
        model = self.models.get(name)
        if model is None:
            hint = did_you_mean(name, self.models)
            raise RefusalError(
                404,
                f"there is no such model. Received: {name[:200]!r}. Allowed: {', '.join(self.models) or 'none'}."
                f"{' ' + hint if hint else ''}",
            )
        versions = model.versions
        if label is not None:
            if label not in model.labels or model.labels[label] not in versions:
                told = ", ".join(model.labels) or "none"
                raise RefusalError(
                    404, f"there is no such label of {name}. Received: {label[:200]!r}. Allowed: {told}."
                )
            return versions[model.labels[label]]
        if version is not None:
            number = int(version) if version.isascii() and version.isdigit() and len(version) < 19 else -1
            if number not in versions:
                told = ", ".join(map(str, sorted(versions))) or "none"
                raise RefusalError(
                    404, f"this version of {name} is not served. Received: {version[:200]!r}. Allowed: {told}."
                )
            return versions[number]
        if not versions:
            raise RefusalError(404, f"no version of {name} is served.")
        return versions[max(versions)]

    def scan(self) -> None:
        """Looks at the folders once: loads, swaps, drains."""
        found = {self._single.name: self._single} if self._single else _bundles(self._folder)
        for name, model in found.items():
            self.models.setdefault(name, model)
        for name, model in list(self.models.items()):
            self._scan_model(model, _versions(model.folder, model.only) if name in found else {})
            if name not in found and not model.versions:
                del self.models[name]
        self._drain()

    def _scan_model(self, model: Model, present: Mapping[int, Path]) -> None:
        model.labels = {
            label.removeprefix(f"{model.name}:"): number
            for label, number in self._labels.items()
            if ":" not in label or label.startswith(f"{model.name}:")
        }
        wanted: dict[int, Version] = {}
        for number in sorted(present, reverse=True):
            if len(wanted) >= self._keep and number not in model.labels.values():
                continue
            version = model.versions.get(number) or self._load(model, number, present[number])
            if version is not None:
                wanted[number] = version
        if present and not wanted:
            wanted = model.versions  # all that is there is broken: what was loaded before serves on
        leaving = [version for number, version in model.versions.items() if number not in wanted]
        model.versions = wanted  # one assignment: a request sees all of the old or all of the new
        for version in leaving:
            model.statuses[version.number] = Status(UNLOADING)
            self._draining.append((model, version))
            _log.info("%s: version %d drains", model.name, version.number)
        for number in [number for number in model.refused if number not in present]:
            del model.refused[number]
            model.statuses.pop(number, None)

    def _load(self, model: Model, number: int, folder: Path) -> Version | None:
        stamp = _stamp(folder)
        if model.refused.get(number) == stamp:
            return None
        model.statuses[number] = Status(LOADING)
        began = time.perf_counter()
        try:
            version = Version(model.name, number, folder, self._workers, self._variant)
        except Exception as error:  # noqa: BLE001 - a broken bundle can fail in any way; the old one serves on
            model.refused[number], model.statuses[number] = stamp, Status(END, str(error)[:1000])
            _log.error("%s: version %d is refused: %s", model.name, number, error)
            self._on_load(model.name, number, False)
            return None
        if model.versions:
            version.expect_as(model.versions[max(model.versions)])
        model.refused.pop(number, None)
        model.statuses[number] = Status(AVAILABLE)
        _log.info("%s: version %d loaded in %.1f s", model.name, number, time.perf_counter() - began)
        self._on_load(model.name, number, True)
        return version

    def _drain(self) -> None:
        for entry in list(self._draining):
            model, version = entry
            if version.in_flight:
                continue
            self._draining.remove(entry)
            self._workers.forget(version.lane)
            if version.number not in model.versions:
                model.statuses[version.number] = Status(END)
            _log.info("%s: version %d is gone", model.name, version.number)


def _single(folder: Path, name: str | None) -> Model | None:
    """The model of a folder that is a bundle or one version of it."""
    folder = folder.resolve()
    if is_version(folder) and (folder / ONNX_FOLDER / DESCRIPTION).is_file():
        return Model(name or folder.parent.name, folder.parent, int(folder.name))
    if _versions(folder):
        return Model(name or folder.name, folder)
    return None


def _can_be_asked(name: str) -> bool:
    """Whether a path can name a model; names that begin with a dot are of what is not finished."""
    return bool(name) and not name.startswith(".") and ":" not in name and "/" not in name


def _bundles(folder: Path) -> dict[str, Model]:
    """The bundles in a folder."""
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir() and _can_be_asked(path.name))
    except OSError:
        return {}
    return {path.name: Model(path.name, path) for path in below if _versions(path)}


def _versions(folder: Path, only: int | None = None) -> dict[int, Path]:
    try:
        below = [path for path in folder.iterdir() if is_version(path) and (only is None or int(path.name) == only)]
        return {int(path.name): path for path in below if (path / ONNX_FOLDER / DESCRIPTION).is_file()}
    except OSError:
        return {}


def _stamp(folder: Path) -> tuple:
    """Sizes and times of the files below a folder, to see whether it changed."""
    try:
        files = [(str(path), path.stat()) for path in sorted(folder.rglob("*"))]
    except OSError:
        return (time.monotonic(),)
    return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in files)

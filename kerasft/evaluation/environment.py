"""Where a run took place: versions, machine, commit; nothing that names a person, host or folder."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "kerasft",
    "tensorflow",
    "keras",
    "jax",
    "torch",
    "numpy",
    "tokenizers",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "scikit-learn",
    "pyarrow",
    "tensorflow-datasets",
)
_ALIASES = {"tensorflow": ("tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tf-nightly")}
_LONGEST_HEAD = 200


def environment() -> dict[str, Any]:
    """What of the machine and its software can change a figure.

    Returns:
        python, platform, cpu, cores (those this process may use), memory_gb (10^9 bytes), backend (of Keras;
        None if it was not imported), commit (of the current folder, None outside a git repository), and
        versions (of the installed ones among the packages that matter). Nothing is imported or started.

    Example:
        >>> environment()["versions"]["numpy"].count(".") >= 1
        True
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": _cores(),
        "memory_gb": _memory_gb(),
        "backend": _backend(),
        "commit": _commit(Path.cwd()),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    for candidate in (name, *_ALIASES.get(name, ())):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    if name == "kerasft":
        import kerasft

        return kerasft.__version__
    return None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: platform knows less, but something
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _backend() -> str | None:
    keras = sys.modules.get("keras")
    return keras.config.backend() if keras is not None else None


def _commit(folder: Path) -> str | None:
    """The commit that HEAD points at, read from git's files: git itself need not be installed."""
    try:
        for parent in (folder, *folder.parents):
            if (parent / ".git").exists():
                return _head(_git_folder(parent / ".git"))
    except (OSError, UnicodeDecodeError):
        pass  # a repository that cannot be read is as good as none
    return None


def _git_folder(place: Path) -> Path:
    if place.is_dir():
        return place
    # A worktree or submodule: a file that says where the folder is.
    return (place.parent / place.read_text(encoding="utf-8").partition("gitdir:")[2].strip()).resolve()


def _head(git: Path) -> str | None:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()[:_LONGEST_HEAD]
    if not head.startswith("ref: "):
        return head or None
    name = head[5:]
    common = git / "commondir"
    folders = [git, (git / common.read_text(encoding="utf-8").strip()).resolve()] if common.exists() else [git]
    for folder in folders:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip() or None
        packed = folder / "packed-refs"
        for line in packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else ():
            if line.endswith(f" {name}"):
                return line.split()[0]
    return None

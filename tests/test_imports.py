"""Which way arrows run between the rooms, and which rooms stay light."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib", "pyarrow", "PIL", "soundfile")


def test_arrows_run_downwards():
    # In a process of its own: the linter reconfigures logging, which would silence other tests' loggers.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module", ["kerasft", "kerasft.inputs", "kerasft.tasks", "kerasft.runtime", "kerasft.training"]
)
def test_light_rooms_import_nothing_heavy(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []


def test_no_two_test_files_have_one_name():
    """Without packages pytest imports them by their names alone."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert not {name for name in names if names.count(name) > 1}

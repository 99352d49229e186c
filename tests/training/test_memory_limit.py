import pytest
import tensorflow as tf
from rich.console import Console
from toy_training import make_learner, make_rows

from kerasft.base.errors import InputError
from kerasft.training import Recipe, fit
from kerasft.training.memory_limit import told_when_full
from kerasft.training.trainee import Trainee

FULL = [
    MemoryError("Unable to allocate 40.0 GiB"),
    tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes."),
]


@pytest.mark.parametrize("cause", FULL, ids=["numpy", "tensorflow", "jax"])
def test_memory_that_runs_out_is_told_with_smaller_settings(tmp_path, monkeypatch, cause):
    def fills(*_args, **_options):
        raise cause

    monkeypatch.setattr(Trainee, "make_train_function", fills)
    recipe = Recipe(batch_size=32, accumulate=2)
    with pytest.raises(InputError) as error:
        fit(make_learner(recipe), make_rows(), recipe, tmp_path / "run", console=Console(quiet=True))
    assert str(error.value).startswith(
        "training ran out of memory. Received: 'batches of 32 rows'. Where: --batch-size. "
        "Start a new run with --batch-size 16 --accumulate 4: half the memory and the same updates."
    )
    assert error.value.__cause__ is cause


def test_batches_of_one_row_ask_for_shorter_texts():
    with pytest.raises(InputError, match=r"shorter texts \(--max-tokens\)"), told_when_full(Recipe(batch_size=1)):
        raise MemoryError


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="something else"), told_when_full(Recipe()):
        raise RuntimeError("something else")

"""Running out of memory, told with the cure."""

from collections.abc import Iterator
from contextlib import contextmanager

from kerasft.base.errors import InputError
from kerasft.base.memory import is_out_of_memory
from kerasft.training.recipe import Recipe


@contextmanager
def told_when_full(recipe: Recipe) -> Iterator[None]:
    """Within the block, running out of memory is one error that names smaller settings.

    Raises:
        InputError: where a step, on whatever backend, asks for more memory than there is.
    """
    try:
        yield
    except Exception as error:  # the errors of three backends have no other common parent
        if not is_out_of_memory(error):
            raise
        raise _told(recipe) from error


def _told(recipe: Recipe) -> InputError:
    rows, parts = recipe.batch_size, recipe.accumulate
    if rows > 1:
        hint = (
            f"Start a new run with --batch-size {rows // 2} --accumulate {parts * 2}: half the memory and the same "
            "updates. Shorter texts (--max-tokens) take less memory too"
        )
    else:
        hint = "Start a new run with shorter texts (--max-tokens) or a smaller model (--size)"
    return InputError("training ran out of memory", received=f"batches of {rows} rows", where="--batch-size", hint=hint)

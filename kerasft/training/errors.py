"""The two ways in which training stops before its end."""

from kerasft.base.errors import InputError


class TrainingDiverged(InputError):  # noqa: N818 - says what happened, as Interrupted does
    """The loss or a weight became NaN or infinite; the last good checkpoint is kept."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C: the batch was finished and everything saved; the message says how to go on."""

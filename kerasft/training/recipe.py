"""How a model is trained: one frozen dataclass, checked as a whole before anything starts."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from kerasft.base.errors import InputError, did_you_mean

Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "step", "exponential", "linear", "cosine", "plateau"]
Monitor = Literal["val_loss", "val_accuracy", "loss", "accuracy"]
Precision = Literal["float32", "mixed_bfloat16"]
Freeze = Literal["none", "backbone", "gradual", "embedding"]

_BOUNDS: dict[str, tuple[float, float, bool, bool]] = {
    # field: (least, most, least is allowed, most is allowed)
    "frozen_epochs": (1, math.inf, True, False),
    "epochs": (1, math.inf, True, False),
    "least_steps": (0, math.inf, True, False),
    "batch_size": (1, math.inf, True, False),
    "accumulate": (1, math.inf, True, False),
    "learning_rate": (0, math.inf, False, False),
    "layer_decay": (0, 1, False, True),
    "encoder_rate": (0, 1, False, True),
    "warmup": (0, 1, True, False),
    "decay": (0, 1, False, True),
    "decay_epochs": (0, math.inf, False, False),
    "floor": (0, 1, True, True),
    "plateau_patience": (1, math.inf, True, False),
    "momentum": (0, 1, True, False),
    "weight_decay": (0, math.inf, True, False),
    "early_stopping": (0, math.inf, True, False),
    "l1": (0, math.inf, True, False),
    "l2": (0, math.inf, True, False),
    "clip_norm": (0, math.inf, True, False),
    "ema": (0, 1, True, False),
    "seed": (0, 2**32, True, False),
    "checkpoint_seconds": (0, math.inf, True, False),
}
_SCHEDULES_THAT_DECAY = ("step", "exponential", "plateau")
_SCHEDULES_WITH_FLOOR = ("linear", "cosine", "plateau")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; every field has a default that works.

    Raises:
        InputError: if a value is out of bounds, unknown, or at odds with another one.

    Example:
        >>> Recipe(epochs=3, schedule="cosine", warmup=0.1).learning_rate
        0.001
    """

    epochs: int = 3
    """Passes over the train rows, at least 1."""

    least_steps: int = 0
    """With few rows, passes are added until so many steps are made, to ten times `epochs` at most; 0 for `epochs`
    as they are."""

    batch_size: int = 32
    """Rows a step."""

    accumulate: int = 1
    """Steps whose gradients are averaged into one update: the memory of `batch_size` rows, the updates of
    `accumulate` times as many. An epoch's last update takes what steps are left."""

    learning_rate: float = 1e-3
    """The highest learning rate; what the schedule starts from after the warm-up."""

    layer_decay: float = 1.0
    """Learning rate of each encoder layer as a share of the next higher one's; the head has the full rate, the
    embeddings the lowest. For models with layers transformer_layer_0, ...; 1 for one rate."""

    encoder_rate: float = 1.0
    """Learning rate of the encoders in the model (layers transformer_layer_0, ..., their embeddings, and whole models
    inside it) as a share of what the other layers have; pretrained ones forget at the rate of new layers."""

    freeze: Freeze = "none"
    """What of a pretrained model is not trained: nothing (none); all below the head, whose features are then computed
    once (backbone); in the first epoch all below the head, then one layer less each epoch, from the top (gradual); the
    token vectors, for the first `frozen_epochs` (embedding)."""

    frozen_epochs: int = 1
    """For freeze embedding: epochs in which the token vectors stay as they are; as many as `epochs` for good."""

    optimizer: Optimizer = "adam"
    """adam; adamw: adam with weight decay; sgd: with momentum."""

    schedule: Schedule = "constant"
    """How the learning rate falls: not (constant), by `decay` every `decay_epochs` at once (step) or smoothly
    (exponential), to `floor` at the last step in a line (linear) or half a cosine, or by `decay` when the
    monitor stops improving (plateau)."""

    warmup: float = 0.0
    """Share of all steps during which the learning rate rises from 0, at least 0 and below 1."""

    decay: float = 0.5
    """Factor on the learning rate: for the schedules step, exponential and plateau."""

    decay_epochs: float = 1.0
    """Epochs per `decay`: for the schedules step and exponential."""

    floor: float = 0.0
    """Lowest learning rate as a share of the highest: for the schedules linear, cosine and plateau."""

    plateau_patience: int = 1
    """Epochs without improvement before the schedule plateau lowers the learning rate."""

    momentum: float = 0.9
    """Momentum of sgd; 0 for none."""

    weight_decay: float = 0.0
    """Decoupled weight decay on kernels, for adamw and sgd; biases, norms and embeddings are spared."""

    early_stopping: int = 0
    """Epochs without improvement of the monitor before training ends; 0 to train all epochs."""

    monitor: Monitor = "val_loss"
    """What early stopping, plateau and the choice of the best epoch look at."""

    restore_best: bool = True
    """End with the weights of the best epoch by the monitor rather than the last epoch's."""

    l1: float = 0.0
    """Weight of the sum of absolute kernel values in the loss."""

    l2: float = 0.0
    """Weight of the sum of squared kernel values in the loss."""

    clip_norm: float = 0.0
    """Largest norm of all gradients together; larger ones are scaled down. 0 for no clipping."""

    ema: float = 0.0
    """Momentum per step of an average of the weights that is used for validation and kept at the end; 0 for
    none; 0.999 is usual."""

    precision: Precision = "float32"
    """mixed_bfloat16 computes in bfloat16 and keeps weights in float32."""

    sparse_embeddings: bool = True
    """Update only the embedding rows a batch touches (TensorFlow; elsewhere all rows are updated)."""

    fast_recurrent: bool = True
    """Use the faster inner loop of recurrent layers where there is one (TensorFlow on CPU)."""

    fast_transformer: bool = True
    """Use the faster computation of transformer layers where there is one (TensorFlow on CPU)."""

    seed: int = 0
    """Seed of initial weights, dropout and the order of rows."""

    checkpoint_seconds: float = 60.0
    """Seconds between checkpoints within an epoch; one more is written at each epoch's end."""

    tensorboard: bool = False
    """Write TensorBoard event files to the run folder."""

    def __post_init__(self) -> None:
        for name, kind in (
            ("optimizer", Optimizer),
            ("schedule", Schedule),
            ("monitor", Monitor),
            ("precision", Precision),
            ("freeze", Freeze),
        ):
            _check_choice(name, getattr(self, name), get_args(kind))
        for field in dataclasses.fields(self):
            if field.name in _BOUNDS:
                _check_number(field.name, getattr(self, field.name), whole=field.type is int)
        self._check_together()

    def _check_together(self) -> None:
        if self.optimizer == "adam" and self.weight_decay:
            raise _conflict(
                "adam takes no weight decay",
                self,
                ("optimizer", "weight_decay"),
                "Choose --optimizer adamw, or --l2 for a term in the loss.",
            )
        if self.freeze == "gradual" and self.epochs == 1:
            raise _conflict(
                "gradual unfreezing takes more than one epoch, as the first one trains the head alone",
                self,
                ("freeze", "epochs"),
                "Give more --epochs, or --freeze none or backbone.",
            )
        if self.freeze != "embedding" and self.frozen_epochs != 1:
            raise _conflict(
                "only token vectors are frozen for a number of epochs",
                self,
                ("freeze", "frozen_epochs"),
                "Give --freeze embedding, or leave --frozen-epochs out.",
            )
        for name in ("layer_decay", "encoder_rate"):
            if self.freeze == "backbone" and getattr(self, name) != 1:
                raise _conflict(
                    "with a frozen backbone there are no layers with rates of their own",
                    self,
                    ("freeze", name),
                    f"Leave {option(name)} out, or give --freeze none or gradual.",
                )
        if self.schedule == "plateau" and self.early_stopping and self.early_stopping <= self.plateau_patience:
            raise _conflict(
                "early stopping would end training before the plateau schedule lowers the learning rate",
                self,
                ("early_stopping", "plateau_patience"),
                "Make --early-stopping larger than --plateau-patience.",
            )
        if self.schedule != "constant" and self.schedule not in _SCHEDULES_THAT_DECAY and self.decay != 0.5:
            raise _conflict(
                f"the schedule {self.schedule} does not use decay",
                self,
                ("schedule", "decay"),
                f"decay belongs to {', '.join(_SCHEDULES_THAT_DECAY)}.",
            )
        if self.floor and self.schedule not in _SCHEDULES_WITH_FLOOR:
            raise _conflict(
                f"the schedule {self.schedule} does not use floor",
                self,
                ("schedule", "floor"),
                f"floor belongs to {', '.join(_SCHEDULES_WITH_FLOOR)}.",
            )

    def for_rows(self, count: int) -> "Recipe":
        """The recipe with as many epochs as `least_steps` asks for with so many train rows."""
        wanted = math.ceil(self.least_steps / math.ceil(max(count, 1) / self.batch_size))
        return dataclasses.replace(self, epochs=max(self.epochs, min(wanted, 10 * self.epochs)), least_steps=0)

    def identity(self) -> dict[str, Any]:
        """The fields that decide the final weights, ready for `json.dumps`."""
        spared = {"checkpoint_seconds", "tensorboard"}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in spared}


def option(name: str) -> str:
    """The command-line option of a field: `--batch-size` of `batch_size`."""
    return "--" + name.replace("_", "-")


def _check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            f"{name} is not known",
            received=value,
            where=option(name),
            allowed=allowed,
            hint=did_you_mean(str(value), allowed),
        )


def _check_number(name: str, value: Any, whole: bool) -> None:
    least, most, least_allowed, most_allowed = _BOUNDS[name]
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise InputError(f"{name} must be a {'whole ' if whole else ''}number", received=value, where=option(name))
    above = value >= least if least_allowed else value > least
    below = value <= most if most_allowed else value < most
    if not (above and below):
        text = f"{'at least' if least_allowed else 'above'} {least}"
        if most < math.inf:
            text += f" and {'at most' if most_allowed else 'below'} {most}"
        raise InputError(f"{name} must be {text}", received=value, where=option(name))


def _conflict(what: str, recipe: Recipe, names: tuple[str, str], hint: str) -> InputError:
    received = {name: getattr(recipe, name) for name in names}
    return InputError(what, received=received, where=" and ".join(option(name) for name in names), hint=hint)

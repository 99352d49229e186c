"""Adam, AdamW and SGD that update only the embedding rows a batch touches, accumulate, slow lower layers, thaw them.

What each ability is, and what it means for the result, is told where it is made: `touched_rows`, `accumulate`,
`layer_rates`, `late_starts`. Where a recipe asks for none of them, the optimizers are Keras's own.
"""

from typing import Any

import keras
from keras import ops

from kerasft.training.accumulate import Accumulating
from kerasft.training.fused_adam import FusedAdam
from kerasft.training.late_starts import LateStarts
from kerasft.training.layer_rates import LayerRates, shares_of
from kerasft.training.recipe import Recipe
from kerasft.training.schedules import make_schedule, updates_per_epoch
from kerasft.training.thaw import Thaw
from kerasft.training.touched_rows import TouchedRows, gather, scatter, scatter_sub


class _Able(Accumulating, LayerRates, TouchedRows):
    """All abilities in the order in which a gradient meets them."""


@keras.saving.register_keras_serializable("kerasft")
class RowAdam(LateStarts, _Able, FusedAdam):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) that updates only the touched rows of embedding tables.

    Takes the arguments of `keras.optimizers.Adam`; `amsgrad` is not supported for sparse gradients.
    """

    def _update_rows(self, rows, gradient, variable, rate):
        step = ops.cast(self.iterations + 1, variable.dtype)
        corrected = rate * ops.sqrt(1 - ops.power(self.beta_2, step)) / (1 - ops.power(self.beta_1, step))
        index = self._get_variable_index(variable)
        m_table, v_table = self._momentums[index].value, self._velocities[index].value
        m, v = gather(m_table, rows), gather(v_table, rows)
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        scatter(m_table, rows, m)
        scatter(v_table, rows, v)
        scatter_sub(variable, rows, m * corrected / (ops.sqrt(v) + self.epsilon))


@keras.saving.register_keras_serializable("kerasft")
class RowAdamW(RowAdam, keras.optimizers.AdamW):
    """`RowAdam` with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).

    Takes the arguments of `keras.optimizers.AdamW`.
    """


@keras.saving.register_keras_serializable("kerasft")
class RowSGD(_Able, keras.optimizers.SGD):
    """Stochastic gradient descent that updates only the touched rows of embedding tables.

    Takes the arguments of `keras.optimizers.SGD`; Nesterov's variant is not supported for sparse gradients.
    """

    def _update_rows(self, rows, gradient, variable, rate):
        change = gradient * rate
        if self.momentum:
            table = self.momentums[self._get_variable_index(variable)].value
            change = change - gather(table, rows) * self.momentum
            scatter(table, rows, -change)
        scatter_sub(variable, rows, change)


_CLASSES = {
    # without and with the abilities
    "adam": (keras.optimizers.Adam, RowAdam),
    "adamw": (keras.optimizers.AdamW, RowAdamW),
    "sgd": (keras.optimizers.SGD, RowSGD),
}


def make_optimizer(
    recipe: Recipe, model: keras.Model, steps_per_epoch: int, thaw: Thaw | None = None
) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe, with its schedule, clipping and weight decay, built for the model's weights.

    Args:
        recipe: names the optimizer and its options.
        model: weight decay applies to its kernels only; biases, norms and embeddings are spared.
        steps_per_epoch: batches an epoch, for the schedule.
        thaw: what is trained from a later epoch on, or None.

    Raises:
        InputError: if the recipe gives encoder layers rates of their own and the model has none.
    """
    schedule = make_schedule(recipe, steps_per_epoch)
    options: dict[str, Any] = {
        "learning_rate": float(recipe.learning_rate) if schedule is None else schedule,
        "global_clipnorm": recipe.clip_norm or None,
        "weight_decay": recipe.weight_decay or None,
    }
    if recipe.optimizer == "sgd":
        options["momentum"] = float(recipe.momentum)
    if recipe.optimizer == "adamw":
        options["weight_decay"] = float(recipe.weight_decay)
    late = thaw is not None and recipe.optimizer != "sgd" and len(thaw.groups) > 1
    shares = shares_of(model, recipe.layer_decay, recipe.encoder_rate)
    able = recipe.sparse_embeddings or recipe.accumulate > 1 or shares or late
    if able:
        options |= {"sparse": recipe.sparse_embeddings, "accumulate": recipe.accumulate, "period": steps_per_epoch}
    optimizer = _CLASSES[recipe.optimizer][bool(able)](**options)
    kernels = {id(variable) for variable in kernels_of(model)}
    spared = [variable for variable in model.trainable_variables if id(variable) not in kernels]
    optimizer.exclude_from_weight_decay(var_list=spared)
    optimizer.build(model.trainable_variables)
    if shares:
        optimizer.slow(shares)
    if late:
        updates = updates_per_epoch(recipe, steps_per_epoch)
        optimizer.start_late((value, epoch * updates) for epoch, group in enumerate(thaw.groups) for value in group)
    return optimizer


def kernels_of(model: keras.Model) -> list[keras.Variable]:
    """The trainable kernels: what weight decay, L1 and L2 apply to."""
    return [variable for variable in model.trainable_variables if "kernel" in variable.name]

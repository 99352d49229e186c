"""A learning rate of its own for each layer: the lower, the slower.

Discriminative fine-tuning (Howard & Ruder 2018, arXiv:1801.06146, section 3.2; the factor per layer as in Clark et
al. 2020, arXiv:2003.10555): what lower layers know is more general, so it should change less.
"""

import re
from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from kerasft.base.errors import InputError
from kerasft.training.layer_groups import layer_groups

_ENCODER = re.compile(
    r"(^|_)(transformer_layer_\d+|(token|position|segment|token_and_position)_embedding|embeddings_(layer_norm|projection)"
    r"|pooled_dense)$"
)


class LayerRates:
    """Lets an optimizer multiply the learning rate by a share of each variable's own; stands before the optimizer.

    Weight decay, which Keras multiplies by the learning rate, is slowed alike.
    """

    _shares: dict[Any, float] = {}  # noqa: RUF012 - replaced, never changed

    def slow(self, shares: Iterable[tuple[keras.Variable, float]]) -> None:
        """Sets the shares; variables that are not named keep the full rate."""
        self._shares = {self._var_key(variable): share for variable, share in shares if share != 1}

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable at its own rate."""
        share = self._shares.get(self._var_key(variable), 1.0)
        super().update_step(gradient, variable, learning_rate if share == 1 else learning_rate * share)

    def _apply_weight_decay(self, variables):
        if not self._shares:
            return super()._apply_weight_decay(variables)
        if self.weight_decay is None:
            return None
        for variable in variables:
            if self._use_weight_decay(variable):
                share = self._shares.get(self._var_key(variable), 1.0)
                rate = ops.cast(self.learning_rate * share * self.weight_decay, variable.dtype)
                self.assign_sub(variable, variable * rate)
        return None


def layer_shares(model: keras.Model, decay: float) -> list[tuple[keras.Variable, float]]:
    """The share of the learning rate of each variable of a model.

    Args:
        model: has layers named transformer_layer_0 ... transformer_layer_<n - 1>.
        decay: above 0, at most 1: what is above the encoder layers has the full rate, layer i decay ** (n - i), what
            is below them (the embeddings) decay ** (n + 1).

    Raises:
        InputError: if there is no such layer.
    """
    groups = layer_groups(model, "--layer-decay")
    return [(variable, decay**height) for height, group in enumerate(reversed(groups)) for variable in group]


def encoder_shares(model: keras.Model, share: float) -> list[tuple[keras.Variable, float]]:
    """The share of the learning rate of each variable of the encoders in a model.

    Args:
        model: has layers named as those of KerasHub's text backbones, with any prefix, or models inside it.
        share: of each of their variables.

    Raises:
        InputError: if it has neither.
    """
    encoders = [layer for layer in model.layers if isinstance(layer, keras.Model) or _ENCODER.search(layer.name)]
    if not encoders:
        raise InputError(
            "the model has no encoder that could have a learning rate of its own",
            received=model.name,
            where="--encoder-rate",
            hint="Leave --encoder-rate out.",
        )
    return [(variable, share) for layer in encoders for variable in layer.trainable_variables]


def shares_of(model: keras.Model, layer_decay: float, encoder_rate: float) -> list[tuple[keras.Variable, float]]:
    """What both say together; empty where both are 1.

    Raises:
        InputError: if the model has no layers for one that is not 1.
    """
    found: dict[int, tuple[keras.Variable, float]] = {}
    for variable, share in [
        *(layer_shares(model, layer_decay) if layer_decay < 1 else []),
        *(encoder_shares(model, encoder_rate) if encoder_rate < 1 else []),
    ]:
        found[id(variable)] = variable, share * found.get(id(variable), (None, 1.0))[1]
    return list(found.values())

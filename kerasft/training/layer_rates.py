"""A learning rate of its own for each layer: the lower, the slower.

Discriminative fine-tuning (Howard & Ruder 2018, arXiv:1801.06146, section 3.2; the factor per layer as in Clark et
al. 2020, arXiv:2003.10555): what lower layers know is more general, so it should change less.
"""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from kerasft.training.layer_groups import layer_groups


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

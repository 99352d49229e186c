"""The layers of a pretrained encoder with a head, from the embeddings up."""

import re
from collections.abc import Iterator

import keras

from kerasft.base.errors import InputError

_ENCODER_LAYER = re.compile(r"transformer_layer_(\d+)$")


def layer_groups(model: keras.Model, option: str) -> list[list[keras.Variable]]:
    """The trainable variables of a model by height.

    Args:
        model: functional; its encoder layers are named transformer_layer_0, transformer_layer_1, ...; models inside
            it count as their layers.
        option: what asks for it, named where the model has no such layers.

    Returns:
        n + 2 lists: what stands before the first encoder layer (the embeddings), one for each of the n encoder layers,
        and what stands behind the last one (the head).

    Raises:
        InputError: if there is no encoder layer, or the model has several inputs, whose branches have no common order.

    Example:
        [len(group) for group in layer_groups(classifier, "--layer-decay")]  # [5, 16, 16, 4]
    """
    layers = list(_flat(model))
    places = [_ENCODER_LAYER.search(layer.name) for layer in layers]
    numbers = {int(place[1]) for place in places if place}
    if not numbers or len(model.inputs) > 1:
        raise InputError(
            "the model has no encoder layers to tell apart" if not numbers else "the model has several inputs",
            received=model.name,
            where=option,
            allowed="models of one input with layers named transformer_layer_0, transformer_layer_1, ...",
            hint=f"Leave {option} out.",
        )
    groups: list[list[keras.Variable]] = [[] for _ in range(max(numbers) + 3)]
    group, seen = 0, set()
    for layer, place in zip(layers, places, strict=True):
        if place:
            group = int(place[1]) + 1
        elif group == len(groups) - 2:  # the first layer behind the last encoder layer
            group += 1
        for variable in layer.trainable_variables:
            if id(variable) not in seen:
                seen.add(id(variable))
                groups[group].append(variable)
    return groups


def _flat(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _flat(layer)
        else:
            yield layer

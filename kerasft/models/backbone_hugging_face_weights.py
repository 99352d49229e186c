"""Which tensor of Hugging Face goes into which variable of KerasHub."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerasft.base.errors import InputError

_LOG = logging.getLogger(__name__)

_PARTS = {
    "bert": {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "attention_output": "attention.output.dense",
        "self_attention_layer_norm": "attention.output.LayerNorm",
        "feedforward_intermediate_dense": "intermediate.dense",
        "feedforward_output_dense": "output.dense",
        "feedforward_layer_norm": "output.LayerNorm",
    },
    "distilbert": {
        "query": "attention.q_lin",
        "key": "attention.k_lin",
        "value": "attention.v_lin",
        "attention_output": "attention.out_lin",
        "self_attention_layer_norm": "sa_layer_norm",
        "feedforward_intermediate_dense": "ffn.lin1",
        "feedforward_output_dense": "ffn.lin2",
        "feedforward_layer_norm": "output_layer_norm",
    },
}
_PARTS["electra"] = _PARTS["bert"]
_TRUNKS = {"bert": "encoder.layer", "distilbert": "transformer.layer", "electra": "encoder.layer"}
_SAME_MODEL = "Do config.json and the weights belong to the same model?"
_WORDS = "embeddings.word_embeddings.weight"


def assign_weights(model: Any, kind: str, tensors: Mapping[str, np.ndarray], where: str) -> None:
    """Gives a backbone of KerasHub the weights of a model of Hugging Face.

    The pooler of BERT may be missing, as in models trained without next sentences: it keeps its random start.

    Args:
        model: a BertBackbone, DistilBertBackbone or ElectraBackbone of the right size.
        kind: "bert", "distilbert" or "electra".
        tensors: by name; those of heads are left alone.
        where: the folder.

    Raises:
        InputError: if tensors are missing, or one has another shape than config.json says.
    """
    prefix = next((name[: -len(_WORDS)] for name in tensors if name.endswith(_WORDS)), "")
    todo, missing = [], []
    for variable, name in _pairs(model, kind):
        found = _found(tensors, prefix + name)
        if found is None:
            missing.append(prefix + name)
        else:
            todo.append((variable, found))
    poolers = [name for name in missing if "pooler." in name]
    if missing := [name for name in missing if name not in poolers]:
        what = "1 tensor is" if len(missing) == 1 else f"{len(missing)} tensors are"
        raise InputError(f"{what} missing from the weights", received=missing[:4], where=where, hint=_SAME_MODEL)
    _refuse_more_layers(model, f"{prefix}{_TRUNKS[kind]}.", tensors, where)
    if poolers:
        _LOG.warning('%s has no pooler: the one of head "cls" starts at random.', where)
    for variable, name in todo:
        variable.assign(_fitted(tensors[name], variable, name, where))


def _refuse_more_layers(model: Any, trunk: str, tensors: Mapping[str, np.ndarray], where: str) -> None:
    """Raises an InputError where layers of the weights would be left out without a word."""
    numbers = {name[len(trunk) :].split(".")[0] for name in tensors if name.startswith(trunk)}
    if (layers := len(numbers)) > model.num_layers:
        raise InputError(
            "the weights have more layers than config.json says",
            received=f"{layers} layers in the weights, {model.num_layers} in config.json",
            where=where,
            hint=_SAME_MODEL,
        )


def _pairs(model: Any, kind: str) -> Iterator[tuple[Any, str]]:
    """Variables and the names of their tensors, without what heads put before them."""
    table = model.get_layer("token_and_position_embedding") if kind == "distilbert" else None
    positions = table.position_embedding if table else model.get_layer("position_embedding")
    yield model.token_embedding.embeddings, _WORDS
    yield positions.position_embeddings, "embeddings.position_embeddings.weight"
    if table is None:
        yield model.get_layer("segment_embedding").embeddings, "embeddings.token_type_embeddings.weight"
    yield from _layer(model.get_layer("embeddings_layer_norm"), "embeddings.LayerNorm")
    if "embeddings_projection" in {layer.name for layer in model.layers}:
        yield from _layer(model.get_layer("embeddings_projection"), "embeddings_project")
    for number in range(model.num_layers):
        block = model.get_layer(f"transformer_layer_{number}")
        parts = {layer.name: layer for layer in block._flatten_layers(include_self=False)}
        for part, name in _PARTS[kind].items():
            yield from _layer(parts[part], f"{_TRUNKS[kind]}.{number}.{name}")
    if kind == "bert":
        yield from _layer(model.get_layer("pooled_dense"), "pooler.dense")


def _layer(layer: Any, name: str) -> Iterator[tuple[Any, str]]:
    norm = hasattr(layer, "gamma")
    yield (layer.gamma if norm else layer.kernel), f"{name}.weight"
    yield (layer.beta if norm else layer.bias), f"{name}.bias"


def _found(tensors: Mapping[str, np.ndarray], name: str) -> str | None:
    """The tensor's name; the oldest models have gamma and beta in their norms."""
    old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    return next((each for each in (name, old) if each in tensors), None)


def _fitted(tensor: np.ndarray, variable: Any, name: str, where: str) -> np.ndarray:
    """A tensor in its variable's shape: kernels are transposed, and those of attention split into heads."""
    shape = tuple(variable.shape)
    kernel = variable.name == "kernel"
    wanted: tuple[int, ...] = shape
    if kernel:
        # [rows, columns] of the product; in front of the attention's output the heads are rows
        rows = int(np.prod(shape[:-1])) if len(shape) == 2 or "attention_output" in variable.path else shape[0]
        wanted = (int(np.prod(shape)) // rows, rows)
    elif variable.name == "bias":
        wanted = (int(np.prod(shape)),)
    if tensor.shape != wanted:
        raise InputError(
            "a tensor's shape is not what config.json says",
            received=f"{name} {tensor.shape}",
            where=where,
            allowed=str(wanted),
        )
    return (tensor.T if kernel else tensor).reshape(shape)

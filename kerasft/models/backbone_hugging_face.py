"""Text backbones from folders of Hugging Face."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasft.base.errors import InputError
from kerasft.models.backbone_check import check_vocabulary, refuse_family
from kerasft.models.backbone_hugging_face_vocabulary import read_tokenizer
from kerasft.models.backbone_hugging_face_weights import assign_weights
from kerasft.models.backbone_safetensors import read_weights
from kerasft.models.text_backbone import TextBackbone

_ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
_COPY = "Copy config.json again from where the weights came from."
_KINDS = ("bert", "distilbert", "electra")


def load_hugging_face(folder: Path, config: dict[str, Any]) -> TextBackbone:
    """Reads a folder as `save_pretrained` of transformers writes it: nothing of transformers or torch is needed.

    Args:
        folder: with model.safetensors and vocab.txt or tokenizer.json.
        config: what config.json holds.

    Raises:
        InputError: if something is missing or broken, or the model computes what these backbones do not.
    """
    where = str(folder)
    kind = str(config["model_type"])
    if kind not in _KINDS:
        raise refuse_family(kind, where)
    activation = _activation(config, where)
    vocabulary, lowercase, strip_accents = read_tokenizer(folder, config)
    tensors = read_weights(folder)
    sizes = _sizes(config, kind, where)
    check_vocabulary(vocabulary, sizes["rows"], where)
    model = _make(kind)(sizes)
    assign_weights(model, kind, tensors, where)
    return TextBackbone(model, vocabulary, lowercase, strip_accents, sizes["positions"], activation, where)


def _activation(config: dict[str, Any], where: str) -> str:
    """Which GELU it is; refuses by name what KerasHub's encoder layers do not compute."""
    positions = config.get("position_embedding_type", "absolute")
    if positions not in ("absolute", None):
        raise InputError(
            "this kind of position embedding is not supported",
            received=positions,
            where=f"position_embedding_type in config.json of {where}",
            allowed="absolute",
        )
    epsilon = config.get("layer_norm_eps", 1e-12)
    if epsilon != 1e-12:
        raise InputError(
            "this epsilon of layer normalisation is not supported",
            received=epsilon,
            where=f"layer_norm_eps in config.json of {where}",
            allowed="1e-12",
        )
    for option in ("is_decoder", "add_cross_attention"):
        if config.get(option):
            raise InputError("this model is a decoder", received=f"{option}: true", where=where, allowed="encoders")
    name = config.get("activation" if config["model_type"] == "distilbert" else "hidden_act", "gelu")
    if name not in _ACTIVATIONS:
        raise InputError(
            "this activation is not supported",
            received=name,
            where=f"config.json of {where}",
            allowed=sorted(_ACTIVATIONS),
        )
    return _ACTIVATIONS[name]


def _sizes(config: dict[str, Any], kind: str, where: str) -> dict[str, Any]:
    distil = kind == "distilbert"
    names = {
        "rows": "vocab_size",
        "positions": "max_position_embeddings",
        "layers": "n_layers" if distil else "num_hidden_layers",
        "heads": "n_heads" if distil else "num_attention_heads",
        "width": "dim" if distil else "hidden_size",
        "inner": "hidden_dim" if distil else "intermediate_size",
    }
    sizes: dict[str, Any] = {ours: _size(config, theirs, where) for ours, theirs in names.items()}
    if sizes["width"] % sizes["heads"]:
        raise InputError(
            "the heads of attention must divide the width",
            received=f"{sizes['heads']} heads, width {sizes['width']}",
            where=f"{names['heads']} and {names['width']} in config.json of {where}",
            hint=_COPY,
        )
    sizes["segments"] = _size({"type_vocab_size": 2, **config}, "type_vocab_size", where)
    sizes["embedding"] = _size({"embedding_size": sizes["width"], **config}, "embedding_size", where)
    dropout = config.get("dropout" if distil else "hidden_dropout_prob", 0.1)
    # A number of fine-tuning alone, which no weight depends on.
    sizes["dropout"] = float(dropout) if isinstance(dropout, int | float) and 0 <= dropout < 1 else 0.1
    return sizes


def _size(config: dict[str, Any], name: str, where: str) -> int:
    size = config.get(name)
    if not isinstance(size, int) or size < 1:
        what = f"{name} must be a whole number of at least 1" if name in config else f"config.json lacks {name}"
        received = {"received": size} if name in config else {}
        raise InputError(what, **received, where=f"config.json of {where}", hint=_COPY)
    return size


def _make(kind: str) -> Callable[[dict[str, Any]], Any]:
    """The builder of a backbone of that kind."""
    import keras_hub  # seconds to import: not before it is needed

    def build(sizes: dict[str, Any]) -> Any:
        common = {
            "num_layers": sizes["layers"],
            "num_heads": sizes["heads"],
            "hidden_dim": sizes["width"],
            "intermediate_dim": sizes["inner"],
            "dropout": sizes["dropout"],
            "max_sequence_length": sizes["positions"],
        }
        if kind == "distilbert":
            return keras_hub.models.DistilBertBackbone(sizes["rows"], **common)
        common["num_segments"] = sizes["segments"]
        if kind == "bert":
            return keras_hub.models.BertBackbone(sizes["rows"], **common)
        return keras_hub.models.ElectraBackbone(sizes["rows"], embedding_dim=sizes["embedding"], **common)

    return build

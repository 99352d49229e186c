"""An encoder that guesses masked tokens and whether one segment follows the other: pretraining BERT."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kerasft.base.errors import InputError
from kerasft.models.checks import check_share
from kerasft.models.text_backbone import TextBackbone


def masked_lm(backbone: TextBackbone, *, next_sentence: bool = True, dropout: float = 0.0) -> keras.Model:
    """The model of Devlin et al. 2019 (arXiv:1810.04805), section 3.1, for pretraining.

    Only the masked positions go through the projection to the vocabulary, which is the token table transposed
    (Press & Wolf 2017, arXiv:1608.05859), so that what a step costs hardly depends on the vocabulary. Nor does the
    last encoder layer compute more than these and, for next-sentence prediction, the first: see `ChosenTokensEncoder`.

    Args:
        backbone: a BERT encoder; its weights are copied, see `trained_backbone` for the way back.
        next_sentence: whether there is an output for next-sentence prediction. Default True.
        dropout: share of features and of attention dropped while pretraining. Default 0: a text that is seen once or
            twice needs none (Geiping & Goldstein 2023, arXiv:2212.14034, section 4.2).

    Returns:
        A functional model: {"tokens": int32 [batch, time], padded with 0, "segments": int32 [batch, time],
        "masked_positions": int32 [batch, slots]} to {"token": float32 [batch, slots, vocabulary], "next": float32
        [batch, 2]}, logits.

    Raises:
        InputError: if the backbone is of another family or activation than KerasHub's BERT.

    Example:
        model = masked_lm(new_backbone("tiny", vocabulary, lowercase=True, strip_accents=True))
    """
    check_share(dropout=dropout)
    check_pretrainable(backbone)
    encoder = _copy(backbone, dropout)
    tokens = keras.Input((None,), dtype="int32", name="tokens")  # [batch, time]
    segments = keras.Input((None,), dtype="int32", name="segments")  # [batch, time]
    positions = keras.Input((None,), dtype="int32", name="masked_positions")  # [batch, slots]
    x = encoder.token_embedding(tokens)  # [batch, time, width]
    x = encoder.embeddings_add((x, encoder.position_embedding(x), encoder.segment_embedding(segments)))
    x = encoder.embeddings_dropout(encoder.embeddings_layer_norm(x))
    mask = ops.not_equal(tokens, 0)  # [batch, time]
    for layer in encoder.transformer_layers[:-1]:
        x = layer(x, padding_mask=mask)
    # Made in this order, so that a seed gives the heads the same start whatever the last layer draws.
    head = MaskedTokens(encoder.token_embedding, name="masked_tokens")
    follows = layers.Dense(2, kernel_initializer=_start(), dtype="float32", name="next_sentence")
    x = _last_layer(encoder, x, positions, mask, first_too=next_sentence)  # [batch, slots (+ 1), width]
    outputs = {"token": head(x[:, 1:] if next_sentence else x)}
    if next_sentence:
        outputs["next"] = follows(encoder.pooled_dense(x[:, 0]))
    inputs = {"tokens": tokens, "segments": segments, "masked_positions": positions}
    return keras.Model(inputs, outputs, name="masked_lm")


def check_pretrainable(backbone: TextBackbone) -> None:
    """Raises an InputError unless the backbone is of KerasHub's BERT family, with its activation."""
    if backbone.family != "BERT" or backbone.activation != "gelu_tanh":
        raise InputError(
            "only BERT with the tanh approximation of GELU, as KerasHub has it, can be pretrained further",
            received=f"{backbone.family} with {backbone.activation}",
            where=backbone.source,
            hint="Fine-tune this backbone as it is, or pretrain a new one.",
        )


def trained_backbone(model: keras.Model, backbone: TextBackbone) -> Any:
    """The encoder of a `masked_lm` as a float32 `keras_hub.models.BertBackbone` with the backbone's own dropout.

    Args:
        model: what `masked_lm` made of the backbone.
        backbone: whose configuration the result has; its weights stay as they are. What the model does not train,
            the pooler of one without next-sentence prediction, is taken from it.
    """
    result = _copy(backbone, backbone.model.dropout, dtype="float32")
    known = {layer.name: layer for layer in model.layers}
    for layer in result.layers:
        if layer.name in known and layer.weights:
            layer.set_weights(known[layer.name].get_weights())
    return result


def head_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a `masked_lm` that its encoder lacks, by name: what a later pretraining can begin with."""
    return {name: keras.ops.convert_to_numpy(variable) for name, variable in _head(model).items()}


def set_head_weights(model: keras.Model, values: dict[str, np.ndarray]) -> None:
    """Gives a `masked_lm` what `head_weights` told of another one.

    Raises:
        InputError: if they are of a head of another shape.
    """
    for name, variable in _head(model).items():
        if name not in values and name.startswith("next_sentence"):
            continue  # the other one learned none
        if name not in values or values[name].shape != tuple(variable.shape):
            raise InputError(
                "the head of the masked language model does not fit the backbone",
                received=f"{name} {list(values[name].shape) if name in values else 'missing'}",
                allowed=f"{list(variable.shape)}",
                hint="Remove masked_lm_head.npz from the preset folder to begin with a new head.",
            )
        variable.assign(values[name])


def _head(model: keras.Model) -> dict[str, Any]:
    names = {layer.name for layer in model.layers}
    tokens = model.get_layer("masked_tokens")
    found = {"bias": tokens.bias}
    found |= {f"dense_{part}": getattr(tokens.dense, part) for part in ("kernel", "bias")}
    found |= {f"norm_{part}": getattr(tokens.norm, part) for part in ("gamma", "beta")}
    if "next_sentence" in names:
        dense = model.get_layer("next_sentence")
        found |= {f"next_sentence_{part}": getattr(dense, part) for part in ("kernel", "bias")}
    return found


def _last_layer(encoder: Any, x: Any, positions: Any, mask: Any, *, first_too: bool) -> Any:
    """The encoder's last layer at the positions, with the first token before them if it is wanted too."""
    from kerasft.models.chosen_tokens import ChosenTokensEncoder  # imports keras_hub: not before it is needed

    layer = encoder.transformer_layers[-1]
    if first_too:
        positions = ops.concatenate([ops.zeros_like(positions[:, :1]), positions], axis=1)  # [batch, 1 + slots]
    chosen = ChosenTokensEncoder.from_config(layer.get_config())
    x = chosen(x, positions, padding_mask=mask)
    chosen.set_weights(layer.get_weights())
    return x


def _copy(backbone: TextBackbone, dropout: float, dtype: Any = None) -> Any:
    """The same encoder with other dropout; by default under the current dtype policy."""
    config = {**backbone.model.get_config(), "dropout": dropout, "dtype": dtype}
    config.pop("name", None)
    config.pop("trainable", None)
    copy = type(backbone.model)(**config)
    for one, other in zip(copy.layers, backbone.model.layers, strict=True):
        if other.weights:
            one.set_weights(other.get_weights())
    return copy


@keras.saving.register_keras_serializable("kerasft")
class MaskedTokens(layers.Layer):
    """Logits of the vocabulary for some tokens: dense, GELU, layer normalisation, the token table transposed, a bias.

    Args:
        token_embedding: the layer with the token table, float [vocabulary, width], which is not copied. So a model
            with this layer is not loaded from a file, but built again.
    """

    def __init__(self, token_embedding: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.token_embedding = token_embedding
        width = token_embedding.output_dim
        self.dense = layers.Dense(width, _gelu, kernel_initializer=_start(), dtype=self.dtype_policy, name="dense")
        self.norm = layers.LayerNormalization(epsilon=1e-12, dtype=self.dtype_policy, name="norm")

    def build(self, x_shape: tuple[int | None, ...]) -> None:
        """Makes the weights."""
        self.dense.build((None, self.token_embedding.output_dim))
        self.norm.build((None, self.token_embedding.output_dim))
        self.bias = self.add_weight(
            name="bias", shape=(self.token_embedding.input_dim,), initializer="zeros", autocast=False
        )

    def call(self, x: Any) -> Any:
        """Float32 [batch, slots, vocabulary] of float [batch, slots, width]."""
        batch, slots, width = ops.shape(x)
        # Flat, as a product of two matrices is faster than one of stacks of them.
        x = self.norm(self.dense(ops.reshape(x, (-1, width))))  # [batch * slots, width]
        table = ops.cast(self.token_embedding.embeddings, self.compute_dtype)
        logits = ops.matmul(x, ops.transpose(table))  # [batch * slots, vocabulary]
        logits = ops.cast(logits, "float32") + ops.cast(self.bias, "float32")
        return ops.reshape(logits, (batch, slots, self.token_embedding.input_dim))

    def compute_output_spec(self, x: Any) -> keras.KerasTensor:
        """What `call` gives."""
        return keras.KerasTensor((*x.shape[:2], self.token_embedding.input_dim), dtype="float32")


def _gelu(x: Any) -> Any:
    return ops.gelu(x, approximate=True)


def _start() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.02)

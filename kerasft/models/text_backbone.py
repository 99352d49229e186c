"""A pretrained or new encoder of BERT's family, with all that its weights were made with."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_folder, content_hash
from kerasft.models.backbone_check import FAMILIES, check_vocabulary, native_activation
from kerasft.models.checks import check_known, check_least, check_share

SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "medium": (8, 512), "base": (12, 768)}
"""Layers and width by name (Turc et al. 2019, table 1); a head of attention is 64 wide."""


@dataclass(frozen=True)
class TextBackbone:
    """An encoder and its vocabulary. Made by `load_backbone` or `new_backbone`.

    Attributes:
        model: a backbone of KerasHub: BertBackbone, DistilBertBackbone or ElectraBackbone.
        vocabulary: tokens by id, as many as the embedding table has rows; "[PAD]" is 0.
        lowercase: whether texts were turned into lower case before.
        strip_accents: whether accents were taken away.
        max_length: positions: the most tokens at once, "[CLS]" and "[SEP]" included.
        activation: the GELU that the weights were made with: "gelu", the exact one, or "gelu_tanh", its approximation
            (Hendrycks & Gimpel 2016, section 2). That of `model` itself may be another: KerasHub's BERT always has
            "gelu_tanh". The builders of this room heed it.
        source: where it came from, for people.
    """

    model: Any = field(repr=False)
    vocabulary: list[str] = field(repr=False)
    lowercase: bool
    strip_accents: bool
    max_length: int
    activation: str
    source: str

    @property
    def family(self) -> str:
        """ "BERT", "DistilBERT" or "ELECTRA"."""
        return FAMILIES[type(self.model).__name__]

    @property
    def width(self) -> int:
        """Features of a token's vector."""
        return self.model.hidden_dim

    @property
    def cls_id(self) -> int:
        """The id of "[CLS]"."""
        return self.vocabulary.index("[CLS]")

    @property
    def sep_id(self) -> int:
        """The id of "[SEP]"."""
        return self.vocabulary.index("[SEP]")

    @property
    def mask_id(self) -> int:
        """The id of "[MASK]"."""
        return self.vocabulary.index("[MASK]")

    def check_length(
        self, length: int, where: str | None = None, hint: str = "Let long texts be cut, or read in windows."
    ) -> None:
        """Raises an InputError unless sequences of `length` tokens, "[CLS]" and "[SEP]" included, have positions.

        Args:
            length: tokens.
            where: the option that asks for them.
            hint: what to do where they are too long.
        """
        if not 3 <= length <= self.max_length:
            raise InputError(
                "the sequences are longer than the backbone's positions"
                if length > self.max_length
                else "a sequence must have room for [CLS], a token and [SEP]",
                received=length,
                where=where,
                allowed=f"3 to {self.max_length}",
                hint=hint if length > self.max_length else None,
            )

    def digest(self) -> str:
        """SHA-256 over the weights, 64 hex digits."""
        return content_hash(*(np.ascontiguousarray(each, np.float32).tobytes() for each in self.model.get_weights()))

    def save(self, folder: str | Path) -> None:
        """Writes a preset that `keras_hub` alone can open, all of it or nothing.

        Args:
            folder: a new folder: config.json, model.weights.h5, tokenizer.json, assets/tokenizer/vocabulary.txt,
                metadata.json.

        Raises:
            InputError: if KerasHub would compute something else with these weights.
            FileExistsError: if the folder is there.
        """
        if self.activation != (native := native_activation(self.model)):
            raise InputError(
                f"these weights were made with {self.activation}, and KerasHub's {type(self.model).__name__} always "
                f"computes {native}: a preset would give other answers",
                received=self.source,
                hint="Fine-tune and export it, or train a new backbone.",
            )
        tokenizer = _tokenizer_class(self.model)(
            vocabulary=self.vocabulary, lowercase=self.lowercase, strip_accents=self.strip_accents
        )
        with atomic_folder(folder) as target:
            self.model.save_to_preset(str(target))
            tokenizer.save_to_preset(str(target))


def new_backbone(
    size: str,
    vocabulary: list[str],
    *,
    lowercase: bool,
    strip_accents: bool,
    max_length: int = 512,
    dropout: float = 0.1,
) -> TextBackbone:
    """A BERT encoder with random weights: a truncated normal distribution of deviation 0.02 (Devlin et al. 2019).

    Args:
        size: "tiny", "mini", "small", "medium" or "base" (Turc et al. 2019, table 1): 2 x 128, 4 x 256, 4 x 512, 8 x
            512 or 12 x 768 (layers x width).
        vocabulary: tokens by id; "[PAD]", which is 0, "[UNK]", "[CLS]", "[SEP]" and "[MASK]" must be among them.
        lowercase: whether texts are turned into lower case before.
        strip_accents: whether accents are taken away.
        max_length: positions. Default 512.
        dropout: share of features and of attention dropped in training. Default 0.1.

    Raises:
        InputError: if an option is out of bounds, or a token is missing.
    """
    check_known("size", size, SIZES)
    check_least(3, max_length=max_length)
    check_share(dropout=dropout)
    check_vocabulary(vocabulary, None, "vocabulary")
    import keras_hub  # seconds to import: not before it is needed

    count, width = SIZES[size]
    model = keras_hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=count,
        num_heads=width // 64,
        hidden_dim=width,
        intermediate_dim=4 * width,
        dropout=dropout,
        max_sequence_length=max_length,
    )
    return TextBackbone(model, list(vocabulary), lowercase, strip_accents, max_length, "gelu_tanh", f"new {size}")


def _tokenizer_class(model: Any) -> Any:
    import keras_hub

    return getattr(keras_hub.tokenizers, type(model).__name__.replace("Backbone", "Tokenizer"))

"""From options to the parts of a learner with an encoder of BERT's family."""

from pathlib import Path
from typing import Any

from kerasft.cli.bert_options import BertOptions
from kerasft.inputs import Text
from kerasft.models import TextBackbone, load_backbone, new_backbone, transformer_classifier
from kerasft.models.windows import Windows

_FRAME = 2  # [CLS] and [SEP], which the model adds
_TRUNCATE = {"truncate": "head", "head-tail": "head+tail", "windows": "head+tail"}


def make_backbone(options: BertOptions, rows: Any) -> TextBackbone:
    """The encoder that is named, or a new one with word pieces learnt from the train rows.

    Raises:
        InputError: if there is none of that name, or it cannot read sequences that long.
    """
    if options.backbone is not None:
        backbone = load_backbone(options.backbone)
        if options.long == "windows":
            backbone.check_length(options.sequence, "--window", f"Give --window {backbone.max_length} or fewer.")
        else:
            backbone.check_length(options.sequence, "--max-tokens")
        return backbone
    cased = {"lowercase": options.lowercase, "strip_accents": options.lowercase}
    learnt = Text.learn(
        rows.train["text"], tokenizer="wordpiece", vocabulary=options.vocabulary, max_tokens=None, **cased
    )
    return new_backbone(options.size, learnt.vocabulary, max_length=max(3, options.sequence), **cased)


def make_text(options: BertOptions, backbone: TextBackbone) -> Text:
    """How texts become the encoder's tokens."""
    return Text.from_vocabulary(
        backbone.vocabulary,
        max_tokens=options.max_tokens - (0 if options.long == "windows" else _FRAME),
        truncate=_TRUNCATE[options.long],
        lowercase=backbone.lowercase,
        strip_accents=backbone.strip_accents,
    )


def make_model(options: BertOptions, backbone: TextBackbone, classes: int) -> Any:
    """The classifier: a plain functional Keras model."""
    windows = None
    if options.long == "windows":
        windows = Windows(options.window, options.window_stride, options.window_pooling)
    return transformer_classifier(
        backbone,
        classes,
        head=options.head,
        dropout=options.dropout,
        windows=windows,
        lora_rank=options.lora_rank,
    )


def facts_of(options: BertOptions, backbone: TextBackbone) -> dict[str, str]:
    """What a report and a model card say of the encoder; of a folder its name alone, as the rest is this machine's."""
    layers = f"{backbone.family}, {backbone.model.num_layers} layers x {backbone.width}"
    if options.backbone is None:
        return {"encoder": f"{layers}, random start"}
    return {"encoder": f"{layers}, pretrained: {Path(options.backbone).name}"}

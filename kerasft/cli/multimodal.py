"""From options to the parts of a learner with several inputs: inputs, branches, task, augmentation."""

from typing import Any

from kerasft import inputs, models, tasks
from kerasft.base.errors import InputError
from kerasft.cli.media_options import AugmentOptions, FusionOptions, MediaOptions
from kerasft.cli.options import TextOptions
from kerasft.cli.vector_options import UseVectorsOptions
from kerasft.cli.vectors_use import Started, start_from_vectors
from kerasft.training.augment import Augmentation
from kerasft.training.augment.audio import AudioAugmenter
from kerasft.training.augment.image import ImageAugmenter

_FRAME = 2  # [CLS] and [SEP], which an encoder's branch adds


def make_inputs(
    rows: Any,
    text: TextOptions,
    media: MediaOptions,
    encoder: models.TextBackbone | None = None,
    started: Started | None = None,
) -> dict[str, Any]:
    """An input object for each of the rows' inputs; what must be learnt is learnt from the train rows.

    Args:
        rows: the rows.
        text: how texts become numbers.
        media: how images and sounds become arrays.
        encoder: the text encoder whose vocabulary is used, or None.
        started: the text input that pretrained vectors were joined to, or None.
    """
    made: dict[str, Any] = {}
    for name in rows.inputs:
        if name == "text" and encoder is not None:
            made[name] = inputs.Text.from_vocabulary(
                encoder.vocabulary,
                max_tokens=text.max_tokens,
                truncate=text.truncate,
                lowercase=encoder.lowercase,
                strip_accents=encoder.strip_accents,
            )
        elif name == "text" and started is not None:
            made[name] = started.text
        elif name == "text":
            made[name] = inputs.Text.learn(rows.train["text"], **vars(text))
        elif name == "image":
            made[name] = inputs.Image(media.size(), fit=media.image_fit)
        elif name == "audio":
            made[name] = inputs.Audio(
                sample_rate=media.sample_rate, seconds=media.seconds, features=media.features, bands=media.bands
            )
        else:
            kinds = rows.tabular_columns
            made[name] = inputs.Tabular.learn(
                rows.train["tabular"],
                numbers=[column for column, kind in kinds.items() if kind == "number"],
                categories=[column for column, kind in kinds.items() if kind == "category"],
            )
    return made


def make_encoder(rows: Any, text: TextOptions, options: FusionOptions) -> models.TextBackbone | None:
    """The text encoder that the options name; a new one with word pieces learnt from the train rows; or None.

    Raises:
        InputError: if there is none of that name, it has too few positions, or there is no text.
    """
    if options.text_branch != "bert":
        return None
    _check_text(rows, "--text-branch bert")
    positions = text.max_tokens + _FRAME
    if options.text_preset is not None:
        encoder = models.load_backbone(options.text_preset)
        encoder.check_length(positions, f"--max-tokens {text.max_tokens}, and [CLS] and [SEP]")
        return encoder
    learnt = inputs.Text.learn(rows.train["text"], **{**vars(text), "tokenizer": "wordpiece"})
    return models.new_backbone(
        "tiny",
        learnt.vocabulary,
        lowercase=learnt.lowercase,
        strip_accents=learnt.strip_accents,
        max_length=positions,
    )


def make_started(
    rows: Any, text: TextOptions, use: UseVectorsOptions, options: FusionOptions, seed: int
) -> Started | None:
    """The text input and the start of its token vectors from pretrained ones; None where none are named.

    Raises:
        InputError: if they cannot be read, there is no text, or the text's branch is an encoder.
    """
    if use.vectors is None:
        return None
    _check_text(rows, "--vectors")
    if options.text_branch == "bert":
        raise InputError(
            "an encoder has token vectors of its own",
            received="--vectors with --text-branch bert",
            where="--vectors",
            hint="Choose --text-branch average or lstm, or leave --vectors out.",
        )
    return start_from_vectors([one for one in rows.train["text"] if one is not None], text, use, seed)


def _check_text(rows: Any, received: str) -> None:
    if "text" not in rows.inputs:
        allowed = f"inputs with text; these are {', '.join(rows.inputs)}"
        raise InputError("there is no text to encode", received=received, allowed=allowed)


def make_branches(
    made: dict[str, Any],
    options: FusionOptions,
    encoder: models.TextBackbone | None = None,
    started: Started | None = None,
) -> dict[str, Any]:
    """The options of each input's branch of the model."""
    if options.image_preset is not None and "image" not in made:
        raise InputError(
            "there is no image for the preset to look at",
            received=str(options.image_preset),
            where="--image-preset",
            allowed=f"inputs with images; these are {', '.join(made)}",
        )
    branches: dict[str, Any] = {}
    for name, item in made.items():
        if name == "text" and encoder is not None:
            branches[name] = models.TransformerBranch(encoder, trainable=not options.text_frozen)
        elif name == "text":
            pretrained = {} if started is None else {"vectors": started.table, "embedding": started.table.shape[1]}
            branches[name] = models.TextBranch(item.vocabulary_size, kind=options.text_branch, **pretrained)
        elif name == "image":
            preset = {"preset": str(options.image_preset)} if options.image_preset else {}
            branches[name] = models.ImageBranch(item.shape, kind=options.image_branch, **preset)
        elif name == "audio":
            branches[name] = models.AudioBranch(item.shape, kind=options.audio_branch)
        else:
            branches[name] = models.TabularBranch(len(item.number_names), categories=item.category_sizes)
    return branches


def make_model(
    rows: Any,
    made: dict[str, Any],
    options: FusionOptions,
    encoder: models.TextBackbone | None = None,
    started: Started | None = None,
) -> Any:
    """The model: a branch an input, the fusion, and a head a target."""
    return models.fusion_classifier(
        make_branches(made, options, encoder, started),
        {name: len(labels) for name, labels in rows.targets.items()},
        fusion=options.fusion,
        width=options.width,
        dropout=options.dropout,
    )


def make_task(rows: Any, options: FusionOptions, augment: AugmentOptions) -> Any:
    """What the outputs mean: one classification, or several."""
    weights = None if options.class_weights == "none" else options.class_weights
    parts = {
        name: tasks.Classification(labels, target=name, class_weights=weights, one_hot=augment.mixup > 0)
        for name, labels in rows.targets.items()
    }
    if len(parts) == 1:
        return next(iter(parts.values()))
    return tasks.Targets(parts, weighting=options.target_weights)


def make_augmentation(options: AugmentOptions, made: dict[str, Any]) -> Augmentation:
    """What is done to train rows.

    Raises:
        InputError: if something is asked for an input that there is not.
    """
    image = {"flip": options.flip, "crop": options.crop, "colour": options.colour, "erase": options.erase}
    audio = {"shift": options.shift, "noise": options.noise, "spec_augment": options.spec_augment}
    for kind, wanted in (("image", image), ("audio", audio)):
        asked = next((name for name, value in wanted.items() if value), None)
        if asked is not None and kind not in made:
            raise InputError(
                f"there is no {kind} to change",
                received=f"--{asked.replace('_', '-')}",
                allowed=f"inputs with {kind}; these are {', '.join(made)}",
            )
    augmenters: dict[str, Any] = {}
    if any(image.values()):
        augmenters["image"] = ImageAugmenter(**image)
    if any(audio.values()):
        masks = {} if audio.pop("spec_augment") else {"time_masks": 0, "frequency_masks": 0}
        augmenters["audio"] = AudioAugmenter(**audio, **masks, gain=0.0)
    return Augmentation(augmenters, modality_dropout=options.modality_dropout, mixup=options.mixup)

"""`pretrain`: from a corpus and a backbone to trained weights, killed and gone on with as often as need be."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.base.files import content_hash
from kerasft.base.terminal import terminal
from kerasft.models.masked_lm import masked_lm, set_head_weights
from kerasft.models.text_backbone import TextBackbone
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.feed import PretrainFeed, PretrainPlan
from kerasft.pretrain.instances import Special, make_instances
from kerasft.pretrain.masking import Masking
from kerasft.pretrain.neighbour_heads import start_neighbour_heads
from kerasft.pretrain.objective import Objective, check_recipe
from kerasft.pretrain.start import start_token_bias, start_token_table
from kerasft.pretrain.task import MaskedLanguageTask
from kerasft.training import Recipe
from kerasft.training.fitting import fit_feeds
from kerasft.training.journal import History

_HELD_OUT, _MOST_HELD_OUT = 0.01, 1000


@dataclass(frozen=True)
class Plan:
    """What a pretraining will do; told before it begins.

    Args:
        train: plan of the train batches.
        held_out: plan of the batches of held-out documents.
        masking: what is asked for.
        stretches: how often the held-out documents are measured.
    """

    train: PretrainPlan
    held_out: PretrainPlan
    masking: Masking
    stretches: int

    @property
    def steps(self) -> int:
        """Batches in all."""
        return len(self.train) * self.stretches

    @property
    def passes(self) -> float:
        """How often each document is seen."""
        return self.steps * self.train.batch_size / self.train.per_pass

    @property
    def tokens_per_sequence(self) -> float:
        """Real tokens of a sequence, special ones included, on the average."""
        return self.train.instances.packing() * self.train.instances.length


def make_plan(corpus: Corpus, backbone: TextBackbone, objective: Objective, recipe: Recipe) -> Plan:
    """Which sequences are seen when, by seed.

    Raises:
        InputError: if sequence, mask rate and corpus do not go together.
    """
    check_recipe(recipe)
    backbone.check_length(
        objective.sequence, "--sequence", "Give a smaller --sequence, or begin a new backbone with more --positions."
    )
    if objective.informed_start and backbone.model.hidden_dim > len(backbone.vocabulary):
        raise InputError(
            "a backbone wider than its vocabulary cannot start from which tokens stand beside which",
            received=f"width {backbone.model.hidden_dim} for {len(backbone.vocabulary):,} different tokens",
            where="--size",
            hint="Give more text, a larger --vocabulary, a smaller --size if there is one, or --no-informed-start.",
        )
    if len(corpus) < 2:
        raise InputError("pretraining needs at least two texts, one of them to measure on", received=len(corpus))
    mask = Masking(
        backbone.vocabulary,
        objective.sequence,
        objective.mask_rate,
        whole_words=objective.whole_word,
        mask_id=backbone.mask_id,
    )
    order = np.random.default_rng([recipe.seed, 0]).permutation(len(corpus))
    least = 2 if objective.next_sentence else 1  # the other segment is of another document
    lengths = corpus.document_lengths
    order = order[np.argsort(lengths[order] > lengths.sum() / 2, kind="stable")]  # what is nearly all is learnt from
    held = _held_out(lengths[order], objective.sequence, least)
    special = Special(0, backbone.cls_id, backbone.sep_id, backbone.mask_id)

    def instances(documents: np.ndarray) -> Any:
        pairs = objective.next_sentence
        return make_instances(corpus, documents, objective.sequence, special, pairs=pairs, seed=recipe.seed)

    train, batch = instances(np.sort(order[held:])), recipe.batch_size
    steps = objective.steps or math.ceil(recipe.for_rows(train.count(0)).epochs * train.count(0) / batch)
    stretches = _stretches(steps, objective.measurements)
    return Plan(
        PretrainPlan(train, batch, steps // stretches, recipe.seed),
        PretrainPlan(instances(np.sort(order[:held])), batch, None, recipe.seed),
        mask,
        stretches,
    )


def _stretches(steps: int, measurements: int) -> int:
    """Into how many stretches of equal length steps are parted: about as many as asked for, and few steps are left."""
    most = min(measurements, steps)
    return min(range(max(1, (most + 1) // 2), most + 1), key=lambda count: (steps % count, -count))


def _held_out(lengths: np.ndarray, sequence: int, least: int) -> int:
    """How many of the documents, whose tokens are given, are held out: 1%, but enough for two sequences, and `least`.

    Raises:
        InputError: if too little would be left to learn from.
    """
    tokens = lengths.cumsum()
    if tokens[-1] < 4 * sequence:
        raise InputError(
            "all texts together are too short to learn from and to measure on",
            received=f"{len(lengths):,} texts of {tokens[-1]:,} tokens",
            where="--sequence",
            allowed=f"at least {4 * sequence:,} tokens for sequences of {sequence}",
            hint="Give more text or a smaller --sequence.",
        )
    if (others := int(tokens[-2])) < sequence:
        raise InputError(
            "nearly all words stand in one text, and the others are too short to measure on",
            received=f"{others:,} tokens in {len(lengths) - 1:,} texts beside it",
            where="--sequence",
            allowed=f"at least {sequence:,} tokens for sequences of {sequence}",
            hint="Divide the long text into rows, a paragraph each, or give a smaller --sequence.",
        )
    enough = int(np.searchsorted(tokens, 2 * sequence)) + 1
    share = min(_MOST_HELD_OUT, round(_HELD_OUT * len(lengths)))
    held = min(max(share, enough, least), len(lengths) - 1)
    return held - 1 if tokens[-1] - tokens[held - 1] < sequence and held > least else held


def pretrain(
    corpus: Corpus,
    backbone: TextBackbone,
    objective: Objective,
    recipe: Recipe,
    run: str | Path,
    *,
    fingerprint: str = "",
    plan: Plan | None = None,
    head: dict[str, np.ndarray] | None = None,
    console: Console | None = None,
) -> tuple[keras.Model, History]:
    """Trains a backbone on masked tokens, or goes on where an earlier call with the same `run` was stopped.

    However often it was stopped, the final weights are those of an uninterrupted call, bit for bit.

    Args:
        corpus: encoded with the backbone's vocabulary.
        backbone: where it starts from; not changed.
        objective: what is learned.
        recipe: how; its epochs are passes over the documents, unless the objective counts steps.
        run: the run folder.
        fingerprint: of the texts; with another one, a run that was begun is refused.
        plan: as `make_plan` gives it, where that was called before.
        head: weights on top of the encoder to begin with, as `read_head` gives them; None: new ones.
        console: where progress is shown.

    Returns:
        The trained `masked_lm`, and the measurements; a row is a stretch of training, not a pass.

    Raises:
        InputError: as `make_plan` and `kerasft.training.fit` do.

    Example:
        model, history = pretrain(corpus, backbone, Objective(), Recipe(schedule="linear"), "runs/mine")
        trained_backbone(model, backbone).save_to_preset("my_bert")
    """
    plan = plan or make_plan(corpus, backbone, objective, recipe)
    recipe = dataclasses.replace(recipe, epochs=plan.stretches)
    model = masked_lm(backbone, next_sentence=objective.next_sentence, dropout=objective.dropout)
    documents = plan.train.instances.documents
    if objective.informed_start:
        start_token_table(model, corpus, documents, recipe.seed, Path(run) / "cache")
        start_neighbour_heads(model, recipe.seed)
    if head is None:
        start_token_bias(model, corpus, documents)
    else:
        set_head_weights(model, head)
    identity = {
        **recipe.identity(),
        **{name: value for name, value in dataclasses.asdict(objective).items() if name != "measurements"},
        "steps": plan.steps,
        "data": fingerprint,
        "vocabulary": content_hash("\n".join(backbone.vocabulary))[:16],
        "start": backbone.digest()[:16],
        "backend": keras.backend.backend(),
    }
    if head is not None:
        identity["head"] = content_hash(*(head[name].tobytes() for name in sorted(head)))[:16]

    def feeds() -> tuple[PretrainFeed, PretrainFeed]:
        pairs = objective.next_sentence
        return (
            PretrainFeed(plan.train, plan.masking, next_sentence=pairs),
            PretrainFeed(plan.held_out, plan.masking, next_sentence=pairs, in_order=True),
        )

    task = MaskedLanguageTask(objective.next_sentence)
    history = fit_feeds(model, task, feeds, _by_passes(recipe, plan), Path(run), identity, console or terminal())
    return model, history


def _by_passes(recipe: Recipe, plan: Plan) -> Recipe:
    """The recipe whose `decay_epochs`, passes as they are, are counted in stretches, which are what `fit` goes by."""
    if recipe.schedule not in ("step", "exponential"):
        return recipe
    stretches = plan.train.per_pass / (len(plan.train) * plan.train.batch_size)  # of a pass
    return dataclasses.replace(recipe, decay_epochs=recipe.decay_epochs * stretches)

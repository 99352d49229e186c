"""The whole path behind `apps.pretrain_bert`: texts, vocabulary, corpus, training, preset, card, summary."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasft.base.files import read_json, write_json
from kerasft.base.terminal import terminal
from kerasft.cli.config import told
from kerasft.cli.pretrain_cautions import cautions, sequences
from kerasft.cli.pretrain_options import BackboneOptions
from kerasft.cli.pretrain_report import fine_tuning, model_card, print_summary
from kerasft.cli.telling import export_named, tell_texts
from kerasft.cli.vocabulary_fit import MANY_UNKNOWN
from kerasft.data.texts import Texts
from kerasft.evaluation.environment import environment
from kerasft.inputs import Text
from kerasft.models import TextBackbone, load_backbone, new_backbone
from kerasft.models.masked_lm import check_pretrainable
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.fitting import Plan, make_plan, pretrain
from kerasft.pretrain.neighbour_heads import place_start
from kerasft.pretrain.objective import Objective
from kerasft.pretrain.preset import check_preset_target, read_head, write_preset
from kerasft.training import Recipe, prepare
from kerasft.training.journal import History, write_csv


def make_backbone(
    texts: Texts, options: BackboneOptions, recipe: Recipe, cache: Path, console: Console
) -> TextBackbone:
    """The backbone to start from: a new one with a vocabulary of these texts, or an earlier one with its own."""
    prepare(recipe)
    if options.backbone is not None:
        backbone = load_backbone(options.backbone)
        check_pretrainable(backbone)  # before its vocabulary goes over all texts
        return backbone
    kept = cache / "vocabulary.json"  # learnt from the texts of this run folder, whose options are checked
    key = [texts.fingerprint, options.vocabulary, options.lowercase, options.strip_accents]
    known = read_json(kept) if kept.exists() else {}
    if known.get("key") != key:
        with console.status("Learning the vocabulary"):
            text = Text.learn(
                texts,
                tokenizer="wordpiece",
                vocabulary=options.vocabulary,
                max_tokens=None,
                lowercase=options.lowercase,
                strip_accents=options.strip_accents,
            )
        known = {"key": key, "tokens": text.vocabulary}
        write_json(kept, known)
    return new_backbone(
        options.size,
        known["tokens"],
        lowercase=options.lowercase,
        strip_accents=options.strip_accents,
        max_length=options.positions,
    )


def make_corpus(texts: Texts, backbone: TextBackbone, cache: Path, console: Console) -> Corpus:
    """The texts as ids of the backbone's vocabulary."""
    text = Text.from_vocabulary(
        backbone.vocabulary, max_tokens=None, lowercase=backbone.lowercase, strip_accents=backbone.strip_accents
    )
    with console.status("Encoding the texts"):
        return Corpus.of(texts, text, cache)


def pretrain_and_export(
    texts: Texts,
    backbone_options: BackboneOptions,
    objective: Objective,
    recipe: Recipe,
    *,
    export: Path,
    config: Any,
    run: Path,
    app: str,
) -> None:
    """Takes texts to a run folder and a preset folder.

    Every step can be repeated: a run that was stopped goes on, and one that has ended is only exported again.

    Raises:
        InputError: as its steps do; then no preset was written.
    """
    console, cache = terminal(), run / "cache"
    check_preset_target(export, backbone_options.backbone)  # before hours are spent on training
    tell_texts(texts, console)
    backbone = make_backbone(texts, backbone_options, recipe, cache, console)
    corpus = make_corpus(texts, backbone, cache, console)
    if backbone_options.backbone is not None:
        objective = dataclasses.replace(objective, informed_start=False)  # its tokens have learned more than that
    plan = make_plan(corpus, backbone, objective, recipe)
    _tell_plan(plan, corpus, backbone, recipe, backbone_options.backbone is None, texts.synthetic, console)
    head = None if backbone_options.backbone is None else read_head(backbone_options.backbone)
    about = {"fingerprint": texts.fingerprint, "plan": plan, "head": head}
    model, history = pretrain(corpus, backbone, objective, recipe, run, **about, console=console)
    facts = measured(history, plan, corpus, backbone, texts, last=not recipe.restore_best)
    penalised = bool(recipe.l1 or recipe.l2)
    write_csv(run / "history.csv", [with_perplexity(row, plan, penalised) for row in history.rows])
    write_json(run / "metrics.json", facts)
    write_json(run / "environment.json", {**environment(), "seed": recipe.seed})
    trained = objective.sequence if backbone_options.backbone is None else None
    start = place_start(model) if objective.informed_start else None
    command = fine_tuning(export, texts, config)
    card = model_card(export, facts, told(config), app, command)
    kept = write_preset(export, model, backbone, trained, card, facts, start)
    if kept is not None:
        console.print(f"An earlier preset stood at {export}: it is now {kept}.", soft_wrap=True)
    print_summary(facts, run, export, command, console)


def default_export(data: str) -> Path:
    """exported/bert_NAME by the data's last word: bert_sample, bert_imdb of "parquet:data/imdb"."""
    return export_named("bert", data)


def _tell_plan(
    plan: Plan, corpus: Corpus, backbone: TextBackbone, recipe: Recipe, new: bool, synthetic: bool, console: Console
) -> None:
    model, train = backbone.model, plan.train
    unknown = float(np.mean(corpus.ids == backbone.vocabulary.index("[UNK]")))
    if unknown > MANY_UNKNOWN:
        console.print(f"  note: {unknown:.1%} of the tokens are not in the vocabulary: it may be of another language.")
    console.print(
        f"{len(corpus.ids):,} tokens of {len(backbone.vocabulary):,} different ones; {model.num_layers} layers of "
        f"{model.hidden_dim}, {model.count_params():,} weights",
        f"{train.per_pass:,} {sequences(train.per_pass)} of {train.instances.length} tokens a pass, "
        f"{train.instances.packing():.1%} real tokens; {len(plan.held_out.lengths):,} more of held-out documents",
        f"{plan.steps:,} {'step' if plan.steps == 1 else 'steps'} of {recipe.batch_size} sequences, {plan.passes:,.2f} "
        f"passes, in {plan.stretches} {'part' if plan.stretches == 1 else 'parts'}: a line each below, measured at its "
        "end",
        sep="\n",
    )
    for line in () if synthetic else cautions(plan, len(corpus.ids), new):
        console.print(f"  note: {line}")


def with_perplexity(row: dict[str, Any], plan: Plan, penalised: bool = False) -> dict[str, Any]:
    """A row of history.csv with perplexities and tokens/s; none of training where its loss holds a penalty."""
    row = dict(row)
    for prefix in ("", "val_"):
        loss = row.get(f"{prefix}token_loss", row.get(f"{prefix}loss"))
        if penalised and not prefix and "token_loss" not in row:
            continue
        row[f"{prefix}perplexity"] = math.exp(min(loss, 700.0))
    row["tokens_per_second"] = round(row["documents_per_second"] * plan.tokens_per_sequence, 1)
    return row


def measured(
    history: History, plan: Plan, corpus: Corpus, backbone: TextBackbone, texts: Texts, last: bool = False
) -> dict[str, Any]:
    """What a run gave, on its held-out documents, ready for JSON; `last`: with the last weights, not the best."""
    number = (len(history.rows) if last else history.best_epoch or len(history.rows)) - 1
    row = with_perplexity(history.rows[number], plan)
    several = "val_token_loss" in row
    seconds = sum(one["seconds"] for one in history.rows)
    sequences = len(plan.train.lengths) * len(history.rows)
    return {
        "loss": row["val_loss"],
        "masked_loss": row["val_token_loss"] if several else row["val_loss"],
        "masked_accuracy": row["val_token_accuracy"] if several else row["val_accuracy"],
        "perplexity": row["val_perplexity"],
        "next_sentence_accuracy": row["val_next_accuracy"] if several else None,
        "held_out_documents_sequences": len(plan.held_out.lengths),
        "measured_after_step": (number + 1) * len(plan.train),
        "steps": len(history.rows) * len(plan.train),
        "passes": sequences / plan.train.per_pass,
        "sequence": plan.train.instances.length,
        "packing": plan.train.instances.packing(),
        "tokens_per_second": sequences * plan.tokens_per_sequence / max(seconds, 1e-9),
        "seconds": seconds,
        "waiting_for_data": sum(one["waiting"] * one["seconds"] for one in history.rows) / max(seconds, 1e-9),
        "corpus_tokens": len(corpus.ids),
        "texts": texts.counts,
        "left_out": texts.left_out,
        "source": texts.source,
        "synthetic": texts.synthetic,
        "vocabulary": len(backbone.vocabulary),
        "parameters": int(backbone.model.count_params()),
        "layers": backbone.model.num_layers,
        "width": backbone.model.hidden_dim,
        "positions": backbone.max_length,
    }

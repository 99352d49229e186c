"""What a pretraining tells last: the table, where everything is, the preset's card and the command to go on with."""

import json
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kerasft.cli.config import flat
from kerasft.cli.telling import shown_path, tell_places
from kerasft.data.texts import Texts


def fine_tuning(export: Path, texts: Texts, config: Any) -> str:
    """The command that fine-tunes a preset on the rows that it was pretrained on, measured on those that were not read.

    Args:
        export: the preset's folder.
        texts: what was read.
        config: the app's config, whose options for columns, splits and seed the command needs too.
    """
    said, parts = flat(config), ["python -m apps.bert_sentiment", "--backbone", shlex.quote(str(shown_path(export)))]
    if texts.label_column is None and not texts.unnamed:
        return " ".join([*parts, "--data", "..."])  # there are no labels in these texts
    parts += ["--data", shlex.quote(texts.source)]
    for name in ("text_column", "label_column", "split_column", "test_where", "validation_where"):
        if said[name] is not None:
            parts += [f"--{name.replace('_', '-')}", shlex.quote(said[name])]
    parts += ["--label-column", "..."] if texts.unnamed else []
    parts += ["--seed", str(said["seed"])] if said["seed"] else []  # the same rows are held out
    return " ".join(parts)


def print_summary(facts: dict[str, Any], run: Path, export: Path, command: str, console: Console) -> None:
    """The table that closes a run, what lies where, and the command to go on with."""
    note = ", synthetic sample" if facts["synthetic"] else ""
    table = Table(title=f"Held-out documents{note}", title_justify="left", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right", style="bold")
    pairs = facts["next_sentence_accuracy"]
    shown = {
        "loss": f"{facts['loss']:.3f}",
        "masked tokens guessed right": f"{facts['masked_accuracy']:.1%}",
        "perplexity": f"{facts['perplexity']:.1f}",
        **({} if pairs is None else {"next sentence guessed right": f"{pairs:.1%}"}),
        "real tokens in the sequences": f"{facts['packing']:.1%}",
        "tokens/s in training": f"{facts['tokens_per_second']:,.0f}",
    }
    for pair in shown.items():
        table.add_row(*pair)
    console.print(table)
    lines = {
        "trained": f"{facts['steps']:,} {'step' if facts['steps'] == 1 else 'steps'}, {facts['seconds']:.0f} s",
        "run": run,
        "preset": export,
        "fine-tune it": command,
        "pretrain on": f"python -m apps.pretrain_bert --backbone {export} --data ... --export ...",
    }
    tell_places(lines, console)


def model_card(export: Path, facts: dict[str, Any], config: dict[str, Any], app: str, command: str) -> str:
    """What the preset is, what it was made of and how well it guesses, as Markdown.

    Args:
        export: the preset's folder.
        facts: what the run measured.
        config: the app's options.
        app: its name.
        command: what fine-tunes the preset.
    """
    path = shown_path(export)
    synthetic = " The texts were generated; the figures say nothing about real ones." if facts["synthetic"] else ""
    pairs = facts["next_sentence_accuracy"]
    steps = "step" if facts["steps"] == 1 else "steps"
    return f"""# {export.name}

A BERT encoder ({facts["layers"]} layers of {facts["width"]}, {facts["parameters"]:,} weights, {facts["vocabulary"]:,}
word pieces, {facts["positions"]} positions), pretrained on {", ".join(f"{n:,} {s}" for s, n in facts["texts"].items())}
texts of `{facts["source"]}`, {facts["corpus_tokens"]:,} tokens; {facts["left_out"]}.{synthetic}

Open it: `keras_hub.models.BertBackbone.from_preset("{path}")` and
`keras_hub.tokenizers.BertTokenizer.from_preset("{path}")`; fine-tune it:
`{command}`.

| on held-out documents | |
| --- | --- |
| masked tokens right | {facts["masked_accuracy"]:.1%} |
| perplexity | {facts["perplexity"]:.1f} |
| sequences measured on | {facts["held_out_documents_sequences"]:,} |
| next sentence right | {"not learned" if pairs is None else f"{pairs:.1%}"} |

{facts["steps"]:,} {steps}, {facts["passes"]:.2f} passes over the texts in sequences of {facts["sequence"]} tokens, \
{facts["packing"]:.1%} of them real ones; {facts["seconds"]:.0f} s.

An encoder has no answers of its own. It knows its texts' language and what they say, their prejudices included.

```
{json.dumps({"app": app, **config}, indent=1, ensure_ascii=False)}
```
"""

"""One process of the kill test: prints the digest of the final weights when it gets that far."""

import sys
from pathlib import Path

from pretrain_toys import digest, make_corpus, make_recipe, make_texts, toy_backbone
from rich.console import Console

from kerasft.pretrain.fitting import pretrain
from kerasft.pretrain.objective import Objective


def main(run: str, steps: str) -> None:
    corpus, text = make_corpus(make_texts(60), Path(run) / "cache")
    recipe = make_recipe(checkpoint_seconds=0.05, seed=3)
    objective = Objective(16, next_sentence=True, dropout=0.1, steps=int(steps), measurements=4)
    model, history = pretrain(
        corpus, toy_backbone(text.vocabulary), objective, recipe, run, console=Console(quiet=True)
    )
    losses = [(row["loss"], row["val_loss"]) for row in history.rows]
    sys.stdout.write(f"{digest(model)} {losses}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

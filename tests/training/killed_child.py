"""One training process of the kill test: prints the digest of the final weights when it gets that far."""

import sys
from pathlib import Path

from rich.console import Console
from toy_training import digest, make_learner, make_rows

from kerasft.training import Recipe, fit

RECIPES = {
    "cosine": {"schedule": "cosine", "warmup": 0.1, "ema": 0.9, "early_stopping": 4, "clip_norm": 1.0},
    "plateau": {
        "schedule": "plateau",
        "warmup": 0.05,
        "early_stopping": 3,
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "fast_recurrent": False,
    },
}


def main(name: str, run: str) -> None:
    recipe = Recipe(epochs=6, batch_size=4, learning_rate=0.004, checkpoint_seconds=0.05, seed=3, **RECIPES[name])
    learner = make_learner(recipe, {"class_weights": {"with": 2.0}}, recurrent=True)
    history = fit(learner, make_rows(train=400, validation=60), recipe, Path(run), console=Console(quiet=True))
    losses = [(row["loss"], row["val_loss"]) for row in history.rows]
    sys.stdout.write(f"{digest(learner.model)} {history.best_epoch} {losses}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

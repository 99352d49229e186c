"""Image and audio of the same digit: MNIST beside the Free Spoken Digit Dataset, alone and fused.

    python -m apps.spoken_digits --mnist $KERASFT_DATA/mnist --fsdd $KERASFT_DATA/fsdd
    python -m apps.spoken_digits --mnist $KERASFT_DATA/mnist --fsdd $KERASFT_DATA/fsdd --inputs audio --pairings 1
    python -m apps.spoken_digits --mnist $KERASFT_DATA/mnist --fsdd $KERASFT_DATA/fsdd \
        --image-side 7 --image-noise 0.4 --audio-noise 0         # both degraded, so that neither alone suffices

Takes 0 to 4 of each speaker and digit are the test rows, as that data set's rule has it. Expect on 2 cores (AMD
Zen 3): audio alone 99.2% in 2 minutes; degraded, image 85.1%, audio 91.3%, both 96.3% in 5 (means of 3 seeds).
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kerasft.base.errors import InputError
from kerasft.cli.app import run_app, start_backend
from kerasft.cli.config import parse
from kerasft.cli.media_options import AugmentOptions, FusionOptions, InputOptions, MediaOptions
from kerasft.cli.options import RunOptions, TextOptions
from kerasft.cli.run_folder import open_run
from kerasft.training.recipe import Recipe

APP = Path(__file__).stem


@dataclass(frozen=True)
class DigitOptions:
    """Where the digits are, and how much is taken from them."""

    mnist: Path | None = None
    """Folder of MNIST's four gzipped idx files."""

    fsdd: Path | None = None
    """Folder of fsdd_recordings.tar.xz, or of the recordings."""

    inputs: str = "image,audio"
    """image,audio, or one of them."""

    image_noise: float = 0.0
    """Standard deviation of the noise added to pixels, as a share of white."""

    image_side: int | None = None
    """Pixels a side that images are averaged down to."""

    audio_noise: float | None = None
    """Signal-to-noise ratio in dB of the white noise added to sounds."""

    pairings: int = 2
    """Images that each recording is paired with, a row each; 1 for figures on audio alone."""

    def check(self) -> None:
        """Raises an InputError if a folder is not named."""
        for name in ("mnist", "fsdd"):
            if getattr(self, name) is None:
                raise InputError(
                    "a folder is wanted", received=None, where=f"--{name}", hint=f"For instance --{name} DATA/{name}."
                )


@dataclass(frozen=True)
class Config:
    """Train a classifier of digits that are seen and heard, measure it, export it and prove the export."""

    digits: DigitOptions = field(default_factory=DigitOptions)
    media: MediaOptions = field(
        default_factory=lambda: MediaOptions(image_size="28", sample_rate=8_000, seconds=0.75, bands=40)
    )
    model: FusionOptions = field(default_factory=FusionOptions)
    augment: AugmentOptions = field(default_factory=lambda: AugmentOptions(modality_dropout=0.2))
    recipe: Recipe = field(
        default_factory=lambda: Recipe(
            epochs=12, learning_rate=3e-3, schedule="cosine", warmup=0.05, monitor="val_accuracy"
        )
    )
    where: RunOptions = field(default_factory=RunOptions)


def main(arguments: Sequence[str]) -> None:
    """From the command line to a published bundle."""
    config = parse(Config, arguments, prog=f"python -m apps.{APP}")
    config.digits.check()
    from kerasft.data.digits import spoken_digits

    with open_run(config, config.where.run, APP) as run:
        digits = config.digits
        names = InputOptions(inputs=digits.inputs).names(sample=False)
        rows = spoken_digits(
            digits.mnist,
            digits.fsdd,
            cache=run / "cache",
            seed=config.recipe.seed,
            image_noise=digits.image_noise,
            image_side=digits.image_side,
            audio_noise=digits.audio_noise,
            pairings=digits.pairings,
            pairs_a_test_take=digits.pairings,  # the same rows whatever --inputs leaves out
        )
        rows = replace(rows, inputs=names)
        start_backend()
        from kerasft import training
        from kerasft.cli import multimodal
        from kerasft.cli.pipeline import train_and_publish
        from kerasft.learner import Learner

        inputs = multimodal.make_inputs(rows, TextOptions(), config.media)
        augmentation = multimodal.make_augmentation(config.augment, inputs)
        training.prepare(config.recipe)
        model = multimodal.make_model(rows, inputs, config.model)
        learner = Learner(inputs, model, multimodal.make_task(rows, config.model, config.augment))
        train_and_publish(
            learner, rows, config.recipe, config.where, config=config, run=run, app=APP, augmentation=augmentation
        )


if __name__ == "__main__":
    sys.exit(run_app(main))

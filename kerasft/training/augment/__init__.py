"""Changes to train rows on their way into a batch; numpy only, and a pure function of seed, epoch and batch."""

from kerasft.training.augment.batch import Augmentation, Batch, Bound

__all__ = ["Augmentation", "Batch", "Bound"]

"""Training a head alone: what the frozen layers below it make of the rows is computed once and kept."""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_folder, read_json, write_json
from kerasft.inputs.batching import BatchPlan
from kerasft.inputs.encoding import row_lengths, take
from kerasft.training.identity import canonical

FEATURES = "features"
"""The layer at which a model is cut; its output is the one input of the head."""


class Cut:
    """A functional model in two: the backbone up to the layer named "features", and the head behind it.

    Both share the model's layers and weights. The backbone works as in inference: no dropout.

    Args:
        model: a functional model with such a layer through which all of its outputs go.

    Attributes:
        backbone, head: the two models.
        seconds: what the features that were asked for took when they were computed.

    Raises:
        InputError: if there is no such layer.

    Example:
        cut = Cut(classifier)
        cut.head({"features": cut.features(arrays, cache)[:8]})
    """

    def __init__(self, model: keras.Model):
        names = [layer.name for layer in model.layers]
        if FEATURES not in names:
            raise InputError(
                "the model has no layer to cut between backbone and head",
                received=model.name,
                where="--freeze backbone",
                allowed=f"models with a layer named {FEATURES!r}",
            )
        tensor = model.get_layer(FEATURES).output
        self.seconds = 0.0
        self.backbone = keras.Model(model.input, tensor)
        # Keras copies the graph behind the tensor; the layers in it stay the same ones.
        behind = keras.Model(tensor, model.output)
        given = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=FEATURES)
        self.head = keras.Model({FEATURES: given}, behind(given), name=model.name)

    def digest(self) -> str:
        """SHA-256 over the backbone's weights, layers and operations, 64 hex digits."""
        digest = hashlib.sha256()
        for variable in self.backbone.variables:
            if "seed_generator" in variable.path:  # dropout, which does not work here
                continue
            array = np.ascontiguousarray(keras.ops.convert_to_numpy(variable.value))
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(array.reshape(-1).view(np.uint8).data)
        digest.update(json.dumps(canonical(self.backbone), sort_keys=True).encode())
        return digest.hexdigest()

    def features(
        self, arrays: Mapping[str, Any], cache: Path | None = None, console: Console | None = None, batch_size: int = 64
    ) -> np.ndarray:
        """What the backbone makes of encoded rows.

        Args:
            arrays: encoded inputs by name.
            cache: folder to keep the result in, by the content of backbone and rows; or None.
            console: told how long it took, where it was not there already; or None.
            batch_size: rows at once. Default 64.

        Returns:
            float32 [rows, width] in the rows' order; memory-mapped where there is a cache.
        """
        if cache is None:
            return self._timed(arrays, batch_size)[0]
        folder = cache / f"features-{_rows_digest(self.digest(), arrays)[:32]}"
        if not folder.exists():
            made, seconds = self._timed(arrays, batch_size)
            with suppress(FileExistsError), atomic_folder(folder) as target:  # another process may be faster
                np.save(target / "features.npy", made)
                write_json(target / "facts.json", {"rows": len(made), "seconds": seconds})
            if console is not None:
                rate = f"{len(made):,} rows in {seconds:.0f} s, {len(made) / seconds:,.0f} documents/s"
                console.print(f"Features of the frozen backbone: {rate}", highlight=False)
        else:
            self.seconds += read_json(folder / "facts.json")["seconds"]
        return np.load(folder / "features.npy", mmap_mode="r")

    def _timed(self, arrays: Mapping[str, Any], batch_size: int) -> tuple[np.ndarray, float]:
        began = time.perf_counter()
        made = self._compute(arrays, batch_size)
        seconds = max(time.perf_counter() - began, 1e-9)
        self.seconds += seconds
        return made, seconds

    def _compute(self, arrays: Mapping[str, Any], batch_size: int) -> np.ndarray:
        lengths = row_lengths(arrays)
        made = np.empty((len(lengths), *self.backbone.output.shape[1:]), np.float32)
        widths = BatchPlan(lengths, batch_size).widths  # few, so that few shapes are compiled
        for rows, width in BatchPlan(lengths, batch_size).in_order():
            width = int(widths[np.searchsorted(widths, width)])
            part = self.backbone.predict_on_batch(take(arrays, rows, width))
            made[rows] = np.asarray(keras.ops.convert_to_numpy(part), np.float32)
        return made


def refuse_augmentation(augmentation: Any) -> None:
    """Refuses rows that change from epoch to epoch, whose features cannot be kept.

    Raises:
        InputError: unless there is no augmentation, or one that does nothing.
    """
    if augmentation is not None and augmentation.identity():
        raise InputError(
            "the features of a frozen backbone are computed once, and augmentation would change the rows every epoch",
            received="--freeze backbone with augmentation",
            hint="Leave the augmentation out, or give --freeze none.",
        )


def _rows_digest(start: str, arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(start.encode())
    for name, item in sorted(arrays.items()):
        for part in (getattr(item, "values", item), getattr(item, "offsets", None)):
            if part is None:
                continue
            digest.update(f"{name} {part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()

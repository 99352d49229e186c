"""Training a head alone: what the frozen layers below it make of the rows is computed once and kept."""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.base.files import atomic_file, atomic_folder, read_json, write_json
from kerasft.inputs.batching import Batch, BatchPlan
from kerasft.inputs.encoding import row_lengths, take
from kerasft.training.identity import canonical

FEATURES = "features"
"""The layer at which a model is cut; its output is the one input of the head."""

_PART = 16  # batches whose features are kept together


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
        """What the backbone makes of encoded rows; killed on the way, another call goes on after the last part.

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
            parts = folder.with_name(f"{folder.name}.{batch_size}.parts")
            made, seconds = self._timed(arrays, batch_size, parts)
            with suppress(FileExistsError), atomic_folder(folder) as target:  # another process may be faster
                np.save(target / "features.npy", made)
                write_json(target / "facts.json", {"rows": len(made), "seconds": seconds})
            shutil.rmtree(parts, ignore_errors=True)
            if console is not None:
                rate = f"{len(made):,} rows in {seconds:.0f} s, {len(made) / seconds:,.0f} documents/s"
                console.print(f"Features of the frozen backbone: {rate}", highlight=False)
        else:
            self.seconds += read_json(folder / "facts.json")["seconds"]
        return np.load(folder / "features.npy", mmap_mode="r")

    def _timed(self, arrays: Mapping[str, Any], batch_size: int, parts: Path | None = None) -> tuple[np.ndarray, float]:
        """The features and the seconds that they took, computed part by part; `parts` keeps those that are done."""
        plan = BatchPlan(row_lengths(arrays), batch_size)
        batches, widths = iter(plan.in_order()), plan.widths  # few widths, so that few shapes are compiled
        made = np.empty((len(plan.lengths), *self.backbone.output.shape[1:]), np.float32)
        total = 0.0
        for number in count():
            some = [(rows, int(widths[np.searchsorted(widths, width)])) for rows, width in islice(batches, _PART)]
            if not some:
                break
            path = None if parts is None else parts / f"{number:06}.npz"
            if path is None or not path.exists():
                features, seconds = self._compute(arrays, some)
                if path is not None:
                    with atomic_file(path) as file:
                        np.savez(file, features=features, seconds=seconds)
            else:
                with np.load(path, allow_pickle=False) as kept:
                    features, seconds = kept["features"], float(kept["seconds"])
            made[np.concatenate([rows for rows, _ in some])] = features
            total += seconds
        self.seconds += total
        return made, total

    def _compute(self, arrays: Mapping[str, Any], batches: list[Batch]) -> tuple[np.ndarray, float]:
        began = time.perf_counter()
        found = [self.backbone.predict_on_batch(take(arrays, rows, width)) for rows, width in batches]
        made = np.concatenate([np.asarray(keras.ops.convert_to_numpy(part), np.float32) for part in found])
        return made, max(time.perf_counter() - began, 1e-9)


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

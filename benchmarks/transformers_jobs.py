"""What the contenders of `benchmarks.transformers` do: fine-tune a classifier, learn masked tokens."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.training import Clock

WIDTHS = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512)}
BATCH, VOCABULARY, SEQUENCE, SLOTS = 32, 16_000, 128, 0.15


def tell(measured: dict[str, list[float]], unit: str, limits: dict[str, float]) -> None:
    """Least, median, most of each contender, and its factor over transformers where those took part."""
    import numpy as np

    base = np.median(measured.get("transformers float32", measured["kerasft, plain layers"]))
    for name, speeds in measured.items():
        low, middle, high = np.min(speeds), np.median(speeds), np.max(speeds)
        print(f"  {name:32s} {low:8.1f} {middle:8.1f} {high:8.1f} {unit}/s   {middle / base:.2f}x")
    for name, value in limits.items():
        print(f"  {name:32s} {'':8s} {value:8.1f}")


class Job:
    """What both jobs share: a Hugging Face folder to start from, and the peer."""

    def __init__(self, config: Any, folder: Path, vocabulary: list[str], size: str, kind: str):
        self.config, self.vocabulary, self.kind = config, vocabulary, kind
        self.layers, self.width = WIDTHS[size]
        self.folder, self.start = folder, folder / f"{size}_{kind}"
        (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        sizes = {
            "vocab_size": len(vocabulary),
            "num_hidden_layers": self.layers,
            "hidden_size": self.width,
            "num_attention_heads": self.width // 64,
            "intermediate_size": 4 * self.width,
            "hidden_act": "gelu",
        }
        if config.peer_python and not self.start.exists():
            self.run("make", str(self.start), str(folder / "vocab.txt"), json.dumps(sizes))

    def run(self, *arguments: str) -> str:
        """Runs the peer's script."""
        script = Path(__file__).with_name("transformers_peer.py")
        command = [self.config.peer_python, "-P", str(script), *arguments]  # -P: this folder holds a transformers.py
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def peer_figures(self, precision: str, seconds: float, **job: Any) -> dict[str, float]:
        """What transformers took for a job."""
        import numpy as np

        path = self.folder / "job.npz"
        np.savez(path, folder=str(self.start), precision=precision, seconds=seconds, **job)
        return json.loads(self.run(self.kind, str(path)))

    def flops(self, tokens: float, first_only: bool) -> float:
        """Floating-point operations of the layers' products for a sequence, forward and backward."""
        layers = self.layers - 1 if first_only else self.layers
        return 3 * layers * tokens * (2 * 12 * self.width**2 + 4 * tokens * self.width)


class Classify(Job):
    """Fine-tuning a classifier."""

    def __init__(self, config, folder, vocabulary, texts, labels, tokens):
        from kerasft.inputs import Text

        super().__init__(config, folder, vocabulary, config.size, "classify")
        self.texts, self.labels, self.tokens = texts, labels, tokens
        self.text = Text.from_vocabulary(vocabulary, max_tokens=tokens - 2, lowercase=True, strip_accents=True)
        self.encoded = self.text.encode(texts)

    def tell(self, measured, limit) -> None:
        """Prints the table."""
        lengths = self.encoded.lengths + 2
        limits = {
            "limit, all tokens": limit * len(lengths) / sum(self.flops(n, False) for n in lengths),
            "limit, last layer's first token": limit * len(lengths) / sum(self.flops(n, True) for n in lengths),
        }
        print(f"  mean length {lengths.mean():.0f}")
        tell(measured, "documents", limits)

    def ours(self, fast: bool = True, precision: str = "float32") -> float:
        """`kerasft.training.fit`, documents a second of its second epoch."""
        from rich.console import Console

        from kerasft.learner import Learner
        from kerasft.models import load_backbone, new_backbone, transformer_classifier
        from kerasft.tasks import Classification
        from kerasft.training import Recipe, fit

        if self.start.exists():
            backbone = load_backbone(self.start)
        else:
            backbone = new_backbone(self.config.size, self.vocabulary, lowercase=True, strip_accents=True)
        rows = SimpleNamespace(
            train={"text": self.texts, "label": self.labels}, validation=None, fingerprint="benchmark"
        )
        task = Classification(["negative", "positive"])
        learner = Learner({"text": self.text}, transformer_classifier(backbone, 2), task)
        options = {"epochs": 2, "precision": precision, "restore_best": False, "monitor": "loss"}
        recipe = Recipe(fast_transformer=fast, **options, **adamw())
        with tempfile.TemporaryDirectory() as run, open(os.devnull, "w") as nowhere:
            history = fit(learner, rows, recipe, Path(run), console=Console(file=nowhere))
        return history.column("documents_per_second")[-1]

    def stock(self) -> float:
        """KerasHub's backbone under `keras.Model.fit`, everything padded to the maximum."""
        import keras
        import keras_hub
        import numpy as np

        sizes = {"num_layers": self.layers, "num_heads": self.width // 64, "hidden_dim": self.width}
        backbone = keras_hub.models.BertBackbone(len(self.vocabulary), intermediate_dim=4 * self.width, **sizes)
        x = keras.layers.Dropout(0.1)(backbone.output["pooled_output"])
        model = keras.Model(backbone.input, keras.layers.Dense(2)(x))
        optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        ids = np.pad(self.encoded.pad(self.tokens - 2), ((0, 0), (1, 1)), constant_values=5)
        inputs = {"token_ids": ids, "segment_ids": np.zeros_like(ids), "padding_mask": (ids != 0).astype(np.int32)}
        clock, targets = Clock(), np.array([label == "positive" for label in self.labels], np.int32)
        model.fit(inputs, targets, batch_size=BATCH, epochs=2, verbose=0, callbacks=[clock()])
        return len(targets) / clock.seconds[-1]

    def peer(self, precision: str, seconds: float) -> float:
        """transformers on the batches of ours."""
        import numpy as np

        from kerasft.inputs.batching import BatchPlan

        lengths = self.encoded.lengths + 2
        values = np.concatenate([[2, *self.encoded.row(number), 3] for number in range(len(lengths))]).astype(np.int32)
        batches = [rows for rows, _ in BatchPlan(lengths, BATCH).epoch(0)]
        warm = len(batches)  # as ours, which is measured in its second epoch
        targets = np.array([label == "positive" for label in self.labels], np.int32)
        job = {"values": values, "lengths": lengths, "targets": targets, "batches": np.stack(batches * 2)}
        found = self.peer_figures(precision, seconds, warm=warm, **job)
        return found["documents"] / found["seconds"]


def adamw() -> dict[str, Any]:
    """The optimiser of all contenders."""
    return {"batch_size": BATCH, "learning_rate": 1e-4, "optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 1.0}


class Pretrain(Job):
    """Masked tokens on full sequences."""

    def __init__(self, config, folder, vocabulary, texts, size):
        super().__init__(config, folder, vocabulary, size, "pretrain")
        self.size, self.texts = size, texts

    def tell(self, measured, limit) -> None:
        """Prints the table."""
        slots = round(SLOTS * SEQUENCE)
        head = 3 * 2 * slots * (self.width**2 + self.width * len(self.vocabulary))
        last = 3 * (4 * SEQUENCE * self.width**2 + slots * (20 * self.width**2 + 4 * SEQUENCE * self.width))
        work = self.flops(SEQUENCE, True) + last + head  # the last layer gives the masked positions alone
        tell(measured, "tokens", {"limit": limit * SEQUENCE / work})

    def ours(self, fast: bool = True, precision: str = "float32") -> float:
        """`kerasft.pretrain`, tokens a second of its second half."""
        from rich.console import Console

        from kerasft.inputs import Text
        from kerasft.models import new_backbone
        from kerasft.pretrain.corpus import Corpus
        from kerasft.pretrain.fitting import make_plan, pretrain
        from kerasft.pretrain.objective import Objective
        from kerasft.training import Recipe

        backbone = new_backbone(self.size, self.vocabulary, lowercase=True, strip_accents=True)
        text = Text.from_vocabulary(self.vocabulary, max_tokens=None, lowercase=True, strip_accents=True)
        corpus = Corpus.of(self.texts, text, self.folder / "corpus")
        options = {"sequence": SEQUENCE, "next_sentence": False, "dropout": 0.1, "informed_start": False}
        objective = Objective(steps=2 * self.config.batches, measurements=2, **options)
        kept = {"precision": precision, "restore_best": False, "monitor": "loss"}
        recipe = Recipe(fast_transformer=fast, **kept, **adamw())
        plan = make_plan(corpus, backbone, objective, recipe)
        with tempfile.TemporaryDirectory() as run, open(os.devnull, "w") as nowhere:
            console = Console(file=nowhere)
            _, history = pretrain(corpus, backbone, objective, recipe, Path(run), plan=plan, console=console)
        return history.column("documents_per_second")[-1] * plan.tokens_per_sequence

    def peer(self, precision: str, seconds: float) -> float:
        """transformers on as many full sequences."""
        import numpy as np

        rows, random = BATCH * 2 * self.config.batches, np.random.default_rng(0)
        job = {
            "values": random.integers(5, len(self.vocabulary), rows * SEQUENCE).astype(np.int32),
            "lengths": np.full(rows, SEQUENCE),
            "batches": np.arange(rows).reshape(-1, BATCH),
            "warm": self.config.batches,  # as ours, of which the second half is measured
        }
        found = self.peer_figures(precision, seconds, **job)
        return found["tokens"] / found["seconds"]

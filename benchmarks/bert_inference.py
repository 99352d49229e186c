"""From raw text to an answer with BERT: the runtime beside SavedModel, tf.function, `predict` and transformers.

    KERASFT_DATA=... python -m benchmarks.bert_inference --peer-python PYTHON-WITH-TORCH-AND-TRANSFORMERS

All have the same weights, a Hugging Face folder that the peer makes at random, and the same tokens of real IMDb reviews
(without their HTML breaks, which transformers would read as words); it stops where scores differ. transformers sorts
texts by length into batches of 16, each padded to its own longest. Contenders take turns text by text, so that
whatever else the machine does meets all of them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.inference import Answer, read, softmax
from kerasft.cli.app import start_backend

WIDTHS = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512)}
RUNTIME, INT8, SAVED, FUNCTION, PREDICT = "kerasft.runtime", "... int8", "SavedModel, strings", "tf.function", "predict"
PEERS = {"transformers": "float32", "transformers bfloat16": "bfloat16"}
MODULE = Path(__file__).parent
WARM = 2


@dataclass(frozen=True)
class Config:
    """Compare answers of BERT."""

    peer_python: str = ""
    """Interpreter with torch and transformers; without it they are left out."""

    size: str = "mini"
    """tiny, mini or small."""

    tokens: tuple[int, ...] = (128, 256)
    """Longest sequences, special tokens included."""

    requests: int = 20
    """Texts asked one by one."""

    rounds: int = 3
    """Turns of 64 texts at once."""

    vocabulary: int = 16_000
    """Word pieces, learnt from 5,000 reviews."""

    bfloat16: bool = True
    """Whether transformers' bfloat16 autocast takes part; without hardware for it it takes seconds a text."""


class Peer:
    """A process of transformers; its answers, timed inside it."""

    def __init__(self, python: str, folder: Path):
        command = [python, "-P", str(MODULE / "bert_inference_peer.py"), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.versions = json.loads(self._process.stdout.readline())

    def ask(self, texts: Sequence[str], length: int, precision: str) -> dict[str, Any]:
        """Seconds, tokens and logits of some texts."""
        request = {"texts": list(texts), "length": length, "precision": precision, "batch": 16}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


def main(config: Config) -> None:
    """Builds the contenders, checks that they agree, and prints a table for each length."""
    if "KERASFT_DATA" not in os.environ:
        sys.exit("KERASFT_DATA is not set: this benchmark reads imdb/ below it")
    start_backend()
    from kerasft.inputs import Text

    data = Path(os.environ["KERASFT_DATA"])
    learnt = Text.learn(read(data, "train", 5_000), tokenizer="wordpiece", vocabulary=config.vocabulary)
    texts = [text.replace("<br />", " ") for text in read(data, "test", 64 + WARM + config.requests)]
    with tempfile.TemporaryDirectory() as place:
        folder = make_folder(config, learnt.vocabulary, Path(place))
        peer = Peer(config.peer_python, folder) if config.peer_python else None
        if peer:
            print("peer:", peer.versions)
        for length in config.tokens:
            learner = make_learner(config, learnt.vocabulary, folder, length)
            answers = contenders(learner, Path(place) / f"bundle{length}")
            timed = {name: clocked(answer) for name, answer in answers.items()}
            if peer:
                timed |= peers(peer, config, answers, texts, length)
            print(f"\n{config.size}, at most {length} tokens")
            table("1 text, ms", timed, [[text] for text in texts[64:]], lambda seconds: 1e3 * seconds, "10.2f")
            table("64 texts, texts/s", timed, [texts[:64]] * (1 + config.rounds), lambda seconds: 64 / seconds, "10.0f")
        if peer:
            peer.close()


def make_folder(config: Config, vocabulary: list[str], place: Path) -> Path | None:
    """A Hugging Face folder of a random BERT, made by the peer."""
    if not config.peer_python:
        return None
    layers, width = WIDTHS[config.size]
    sizes = {"vocab_size": len(vocabulary), "hidden_size": width, "num_hidden_layers": layers}
    sizes |= {"num_attention_heads": width // 64, "intermediate_size": 4 * width, "num_labels": 2}
    (place / "vocabulary.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    command = [config.peer_python, "-P", str(MODULE / "transformers_peer.py"), "make", str(place / "encoder")]
    subprocess.run([*command, str(place / "vocabulary.txt"), json.dumps(sizes)], check=True)
    return place / "encoder"


def make_learner(config: Config, vocabulary: list[str], folder: Path | None, length: int) -> Any:
    """A learner with the weights of the folder, or random ones."""
    from kerasft.inputs import Text
    from kerasft.learner import Learner
    from kerasft.models import load_backbone, new_backbone, transformer_classifier
    from kerasft.models.backbone_safetensors import read_safetensors
    from kerasft.tasks import Classification

    cased = {"lowercase": True, "strip_accents": True}
    backbone = load_backbone(folder) if folder else new_backbone(config.size, vocabulary, **cased)
    text = Text.from_vocabulary(backbone.vocabulary, max_tokens=length - 2, **cased)
    model = transformer_classifier(backbone, 2)
    if folder:
        head = read_safetensors(folder / "model.safetensors")
        model.get_layer("logits").set_weights([head["classifier.weight"].T, head["classifier.bias"]])
    return Learner({"text": text}, model, Classification(["negative", "positive"]))


def contenders(learner: Any, folder: Path) -> dict[str, Answer]:
    """Every way of this project to an answer, by name."""
    import tensorflow as tf

    from kerasft.export.bundle import write_bundle
    from kerasft.export.int8 import VARIANT, describe, quantise
    from kerasft.runtime import Predictor

    write_bundle(learner, folder, "bert", {"text": ["a film"] * 8})
    onnx = folder / "onnx"
    quantise(onnx / "model.onnx", onnx / "model.int8.onnx")
    describe(onnx, json.loads((onnx / "bundle.json").read_text()), {})
    predictor, small = Predictor(folder), Predictor(folder, variant=VARIANT)
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    text, model = learner.inputs["text"], learner.model
    specs = [tf.TensorSpec([None, None], tf.int32)]
    compiled = tf.function(lambda ids: model({"text": ids}, training=False)["label"], input_signature=specs)
    return {
        RUNTIME: lambda texts: scores(predictor(texts)),
        INT8: lambda texts: scores(small(texts)),
        SAVED: lambda texts: served(text=tf.constant(texts))["scores"].numpy(),
        FUNCTION: lambda texts: softmax(compiled(text.encode(texts).pad())),
        PREDICT: lambda texts: softmax(
            model.predict({"text": text.encode(texts).pad(text.max_tokens)}, batch_size=32, verbose=0)["label"]
        ),
    }


def scores(answers: list[dict[str, Any]]) -> np.ndarray:
    """Scores of answers, float [rows, labels]."""
    return np.array([list(answer["scores"].values()) for answer in answers])


def clocked(answer: Answer) -> Callable[[list[str]], float]:
    """The seconds that an answer takes."""

    def seconds(texts: list[str]) -> float:
        start = time.perf_counter()
        answer(texts)
        return time.perf_counter() - start

    return seconds


def peers(
    peer: Peer, config: Config, answers: dict[str, Answer], texts: list[str], length: int
) -> dict[str, Callable[[list[str]], float]]:
    """The peer's contenders, after a check that all compute the same."""
    found = peer.ask(texts[:8], length, "float32")
    wanted = answers[RUNTIME](texts[:8])
    worst = {name: np.abs(answers[name](texts[:8]) - wanted).max() for name in (SAVED, FUNCTION, PREDICT)}
    worst["transformers"] = np.abs(softmax(np.array(found["logits"])) - wanted).max()
    print("worst differences of scores:", {name: float(f"{value:.2g}") for name, value in worst.items()})
    if max(worst.values()) > 1e-5:
        sys.exit("the contenders do not agree")
    return {
        name: lambda texts, precision=precision: peer.ask(texts, length, precision)["seconds"]
        for name, precision in PEERS.items()
        if config.bfloat16 or precision == "float32"
    }


def table(
    title: str,
    timed: dict[str, Callable[[list[str]], float]],
    requests: list[list[str]],
    shown: Callable[[Any], Any],
    style: str,
) -> None:
    """Asks all contenders in turn and prints the median, the 95th percentile and the best of what they took."""
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for texts in requests:
        for name, ask in timed.items():
            seconds[name].append(ask(texts))
    counted = WARM if len(requests) > WARM + 1 else 1
    print(f"{title:26}{'p50':>10}{'p95':>10}{'best':>10}{'p50, ours':>12}")
    ours = float(np.median(seconds[RUNTIME][counted:]))
    for name, values in seconds.items():
        p50, p95, best = np.percentile(values[counted:], [50, 95, 0])
        print(f"{name:26}{shown(p50):{style}}{shown(p95):{style}}{shown(best):{style}}{p50 / ours:11.1f}x")


if __name__ == "__main__":
    main(tyro.cli(Config))

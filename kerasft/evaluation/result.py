"""Everything a report or a model card is made from, in one place; every part may be missing."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kerasft.base.errors import InputError, did_you_mean
from kerasft.evaluation.verdict import judge


@dataclass(frozen=True)
class RunResult:
    """What a run gave. All of it can be written as JSON.

    Args:
        title: name of the run.
        task: what the model does, in a word or two.
        inputs: names of the inputs.
        input_specs: the inputs' `spec()` by name.
        labels: names of the classes; may be empty where there are several targets.
        source: the spec the rows came from.
        synthetic: True where the rows were generated; said wherever figures on them appear.
        config: the resolved configuration; nested dicts are fine.
        data: the checks of `Rows.checks`.
        model: facts of the model, such as {"parameters": 2_000_000}.
        history: a dict an epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy, learning_rate,
            seconds, documents_per_second, data_wait_share (0 to 1). Any may be missing.
        schedule: [step, learning rate] pairs, in order.
        metrics: what `evaluate` returned for the test rows; of several targets {"n", "accuracy", "macro_f1"}, the
            last two means over the targets.
        baselines: what `baselines` returned, or `LinearBaselines.mean`.
        errors: what `confident_errors` returned.
        targets: where there are two or more: {name: {"labels", "metrics", "baselines", "errors"}}, each as above.
        modalities: what each input gives, on the same rows and with the same model, the other inputs missing:
            {"metric": "macro_f1", "rows": n, "all": {target: figure, ..., "mean": figure}, "only": {input: {...}},
            "without": {input: {...}}}, each inner mapping like that of "all".
        augmentation: rows of pictures: [{"title", "caption", "images": [[data URI, ...], ...]}].
        parity: what `export` returned as `Bundle.parity`.
        throughput: figures by name, e.g. {"training": {"documents_per_second": 900.0}} or plain numbers.
        environment: what `environment` returned.
        commands: what to try next: {"what it does": "command"}.

    Example:
        >>> RunResult(title="Reviews", metrics={"accuracy": 0.9, "accuracy_interval": [0.88, 0.92]}).verdict()[0]
        'unknown'
    """

    title: str = "Training run"
    task: str = "Text classification"
    inputs: list[str] = field(default_factory=list)
    input_specs: dict[str, dict[str, Any]] | None = None
    labels: list[str] = field(default_factory=list)
    source: str | None = None
    synthetic: bool = False
    config: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
    history: list[dict[str, Any]] | None = None
    schedule: list[tuple[float, float]] | None = None
    metrics: dict[str, Any] | None = None
    baselines: dict[str, dict[str, Any]] | None = None
    errors: list[dict[str, Any]] | None = None
    targets: dict[str, dict[str, Any]] | None = None
    modalities: dict[str, Any] | None = None
    augmentation: list[dict[str, Any]] | None = None
    parity: dict[str, Any] | None = None
    throughput: dict[str, Any] | None = None
    environment: dict[str, Any] | None = None
    commands: dict[str, str] | None = None

    @classmethod
    def of(cls, parts: "RunResult | Mapping[str, Any]") -> "RunResult":
        """A result from a mapping of its parts.

        Raises:
            InputError: if a part is not known.
        """
        if isinstance(parts, RunResult):
            return parts
        names = [one.name for one in dataclasses.fields(cls)]
        for name in parts:
            if name not in names:
                raise InputError(
                    "A report has no such part",
                    received=name,
                    where="result",
                    allowed=names,
                    hint=did_you_mean(name, names),
                )
        return cls(**parts)

    def to_json(self) -> dict[str, Any]:
        """The parts that there are, as a dict for `json.dumps` and `of`."""
        parts = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def several(self) -> bool:
        """Whether there are two or more targets."""
        return len(self.targets or {}) > 1

    def verdict(self) -> tuple[str, str]:
        """Whether the model beats the best linear baseline: "beats", "within", "below" or "unknown", in words.

        One target is judged by test accuracy, several by the mean of their macro F1; see
        `kerasft.evaluation.verdict`.
        """
        return judge(self.metrics or {}, self.baselines or {}, self.several)

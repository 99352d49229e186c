"""The whole path behind a training app: train, measure, write down, export, prove, report, sum up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from kerasft.base.files import read_json, write_json
from kerasft.base.terminal import terminal
from kerasft.cli.config import PUBLISHING, meaning, told
from kerasft.cli.measuring import measure_baselines, measure_errors, measure_modalities, measure_test
from kerasft.cli.options import RunOptions
from kerasft.cli.pictures import augmentation_pictures
from kerasft.cli.summary import print_summary
from kerasft.cli.telling import shown_path
from kerasft.evaluation.environment import environment
from kerasft.evaluation.report import write_report
from kerasft.evaluation.result import RunResult
from kerasft.export import export
from kerasft.export.model_card import write_model_card
from kerasft.export.predecessor import other_answers
from kerasft.export.publish import check_target
from kerasft.learner import Learner
from kerasft.models.low_rank import has_low_rank, merged
from kerasft.training import Augmentation, History, Recipe, fit
from kerasft.training.begun import DATA, check_source
from kerasft.training.schedules import make_schedule, updates_per_epoch

_SCHEDULE_POINTS = 200


def train_and_publish(
    learner: Learner,
    rows: Any,
    recipe: Recipe,
    options: RunOptions,
    *,
    config: Any,
    run: Path,
    app: str,
    augmentation: Augmentation | None = None,
    facts: Mapping[str, Any] | None = None,
    start: str | None = None,
) -> RunResult:
    """Takes a learner and its rows to a run folder with a report and a published, verified bundle.

    Every step can be repeated: a run that was stopped goes on, and one that has ended is only told again, or
    exported again where the options of publishing are others or its bundle is gone.

    Args:
        learner: inputs, an untrained model and the task.
        rows: the rows, split.
        recipe: how to train.
        options: where results go.
        config: the app's resolved config, for the report.
        run: the run folder, as `open_run` gave it.
        app: name of the app; the bundle's default folder is exported/APP.
        augmentation: what is done to train rows, or None.
        facts: what report and card should say of the model beside its parameters, in words or numbers by name.
        start: what tells the pretrained weights that the model starts from, or None; see `fit`.

    Returns:
        What the report shows.

    Raises:
        InputError: as training and exporting do; then no bundle was published.
    """
    console = terminal()
    done = run / "result.json"
    if done.exists():
        _check_data(run, rows)
        result, wanted = RunResult.of(read_json(done)), meaning(config)
        bundle = Path(read_json(run / "bundle.json")["path"])
        if all(result.config.get(name) == wanted.get(name) for name in PUBLISHING) and bundle.exists():
            console.print(f"This run has ended already; nothing was trained or exported again ({run}).")
            print_summary(result, run, bundle, console)
            return result
        console.print(f"This run has ended already: it is only measured and exported again ({run}).")
    target = options.export or Path("exported") / app
    check_target(target)  # before hours are spent on training
    _tell_rows(rows, console)
    if (other := other_answers(target, learner.task.to_json())) is not None:
        console.print(f"  note: {other}")
    cache = run / "cache"
    history = fit(learner, rows, recipe, run, augmentation=augmentation, cache=cache, console=console, start=start)
    facts = {**(facts or {}), **_trained(learner.model)}
    learner = _merged(learner)
    if not (run / "model.keras").exists():
        _write_learner(learner, run)
    result = _measure(learner, rows, recipe, options, history, config, app, cache, console)
    result = RunResult.of({**result.to_json(), "model": {**result.model, **facts}})
    if augmentation is not None:
        pictures = augmentation_pictures(learner, rows.train, augmentation, recipe.seed, cache)
        result = RunResult.of({**result.to_json(), "augmentation": pictures or None})
    write_json(run / "metrics.json", _all_metrics(result))
    write_json(run / "environment.json", result.environment)
    bundle = _publish(learner, rows, options, result, app, console)
    published = shown_path(bundle.path)
    result = RunResult.of(
        {
            **result.to_json(),
            "parity": bundle.parity,
            "commands": _commands(app, published.parent, rows, result.inputs, run),
        }
    )
    write_json(run / "bundle.json", {"path": str(published), "version": bundle.version})
    write_report(result, run / "report.html")
    write_json(done, result.to_json())
    print_summary(result, run, published, console)
    return result


def _check_data(run: Path, rows: Any) -> None:
    """Refuses to tell the figures of a run that has ended as if they were those of other rows."""
    begun = run / "checkpoints" / "identity.json"
    if begun.exists():
        check_source(DATA, read_json(begun).get("data"), rows.fingerprint, run)


def _trained(model: Any) -> dict[str, int]:
    """How many parameters were trained, where that is not all of them."""
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    return {"trained_parameters": trained} if has_low_rank(model) else {}


def _merged(learner: Learner) -> Learner:
    """The learner with low-rank updates worked into the weights: what is measured is what is exported."""
    model = merged(learner.model)
    return learner if model is learner.model else Learner(learner.inputs, model, learner.task, learner.on_bad)


def _all_metrics(result: RunResult) -> dict[str, Any]:
    """The figures on the test rows; with several targets the means, and each target's own."""
    if not result.targets:
        return result.metrics
    return {**result.metrics, "targets": {name: one["metrics"] for name, one in result.targets.items()}}


def _tell_rows(rows: Any, console: Console) -> None:
    note = " (synthetic, generated by kerasft)" if rows.synthetic else ""
    splits = ", ".join(f"{len(getattr(rows, name)):,} {name}" for name in ("train", "validation", "test"))
    targets = "; ".join(
        f"{'labels' if name == 'label' else name} {', '.join(labels[:8])}{', ...' if len(labels) > 8 else ''}"
        for name, labels in rows.targets.items()
    )
    console.print(f"Rows from {rows.source}{note}: {splits}; {targets}", style="bold")
    if rows.tabular_columns:
        kinds = ", ".join(f"{name} ({kind})" for name, kind in rows.tabular_columns.items())
        console.print(f"  columns: {kinds}")
    for warning in rows.checks.get("warnings", []):
        console.print(f"  note: {warning}")


def _write_learner(learner: Learner, run: Path) -> None:
    temporary = run / ".learner.tmp"
    if not temporary.exists():
        learner.save(temporary)
    for path in sorted(temporary.iterdir(), key=lambda path: path.name == "model.keras"):  # the model last
        if not (run / path.name).exists():
            path.rename(run / path.name)
    temporary.rmdir()


def _measure(
    learner: Learner,
    rows: Any,
    recipe: Recipe,
    options: RunOptions,
    history: History,
    config: Any,
    app: str,
    cache: Path,
    console: Console,
) -> RunResult:
    """Everything that is measured on the test rows, and the baselines beside it."""
    with console.status("Measuring on the test rows"):
        measured = measure_test(learner, rows, cache, recipe.seed)
        errors = measure_errors(learner, rows, measured)
        modalities = measure_modalities(learner, measured)
    compared = None
    if options.baseline:
        with console.status("Measuring the linear baselines"):
            compared = measure_baselines(learner, rows, measured, cache, recipe.seed)
    several = len(measured.metrics) > 1
    targets = {
        name: {
            "labels": learner.task.parts[name].labels,
            "metrics": metrics,
            "baselines": compared.targets[name] if compared else None,
            "errors": errors[name],
        }
        for name, metrics in measured.metrics.items()
    }
    speed = [row["documents_per_second"] for row in history.rows]
    throughput = {
        "training": {
            "documents_per_second": float(np.median(speed)),
            "seconds": sum(row["seconds"] for row in history.rows),
            "validation_seconds": sum(row["validation_seconds"] for row in history.rows),
            **({"features_seconds": history.features_seconds} if history.features_seconds else {}),
            "share_waiting_for_data": float(np.median([row["waiting"] for row in history.rows])),
        },
        "prediction": {"documents_per_second": len(rows.test) / measured.seconds},
    }
    return RunResult(
        title=(options.export or Path(app)).name,
        task=_task_words(learner),
        inputs=list(learner.inputs),
        input_specs={name: item.spec() for name, item in learner.inputs.items()},
        labels=[] if several else rows.labels,
        source=rows.source,
        synthetic=rows.synthetic,
        config=told(config),
        data=rows.checks,
        model={"parameters": int(learner.model.count_params())},
        history=[{**row, "data_wait_share": row["waiting"]} for row in history.rows],
        schedule=_schedule_points(recipe.for_rows(len(rows.train)), len(rows.train)),
        metrics=measured.summary(),
        baselines=compared.mean if compared else None,
        errors=None if several else next(iter(errors.values())),
        targets=targets if several else None,
        modalities=modalities,
        throughput=throughput,
        environment={**environment(), "seed": recipe.seed},
    )


def _task_words(learner: Learner) -> str:
    kinds = " and ".join(learner.inputs) if len(learner.inputs) < 3 else ", ".join(learner.inputs)
    several = f" of {len(learner.task.parts)} targets" if len(learner.task.parts) > 1 else ""
    return f"{kinds.capitalize()} classification{several}"


def _schedule_points(recipe: Recipe, train_rows: int) -> list[tuple[float, float]] | None:
    steps_per_epoch = -(-train_rows // recipe.batch_size)
    schedule = make_schedule(recipe, steps_per_epoch)
    if schedule is None:
        return None
    steps = np.unique(
        np.linspace(0, updates_per_epoch(recipe, steps_per_epoch) * recipe.epochs - 1, _SCHEDULE_POINTS).astype(int)
    )
    return [(int(step), float(schedule(int(step)))) for step in steps]


def _publish(learner: Learner, rows: Any, options: RunOptions, result: RunResult, app: str, console: Console) -> Any:
    target = options.export or Path("exported") / app
    with console.status("Exporting, and proving that every path answers as the model does"):
        return export(
            learner,
            target,
            verify_on=rows.test,
            metrics=_all_metrics(result),
            card=lambda folder, parity: write_model_card(
                RunResult.of(
                    {
                        **result.to_json(),
                        "parity": parity,
                        "commands": _commands(app, target, rows, result.inputs),
                    }
                ),
                folder / "MODEL_CARD.md",
            ),
            columns=rows.columns,
            rows=options.verify_rows,
            tolerance=options.tolerance,
            int8=options.int8,
        )


def _commands(app: str, bundle: Path, rows: Any, inputs: list[str], run: Path | None = None) -> dict[str, str]:
    text = "A quiet, moving film." if inputs == ["text"] and rows.synthetic else "..."
    examples = {
        "text": f'--text "{text}"',
        "image": "--image photo.jpg",
        "audio": "--audio sound.wav",
        "tabular": "--value " + " ".join(f"{name}=..." for name in list(rows.tabular_columns) or ["COLUMN"]),
    }
    row = " ".join(examples[name] for name in inputs if name in examples)
    commands = {
        "Ask the bundle": f"python -m apps.predict {bundle} {row}",
        "Score a file": f"python -m apps.predict {bundle} --input new.csv --output scored.csv",
    }
    if run is not None:
        commands["Repeat the run"] = f"python -m apps.{app} --config {run / 'config.yaml'}"
    return commands

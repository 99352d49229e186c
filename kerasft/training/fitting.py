"""Training that can be killed at any moment and goes on to the same weights."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.base.sole import sole_use
from kerasft.base.terminal import terminal
from kerasft.learner import Learner
from kerasft.training.acceleration import accelerated
from kerasft.training.augment import Augmentation
from kerasft.training.begun import check_identity
from kerasft.training.callbacks import Average, Best, Plateau, Remembering
from kerasft.training.features import FEATURES, Cut, refuse_augmentation
from kerasft.training.feed import Feed
from kerasft.training.feeds import has_validation, make_feeds
from kerasft.training.identity import identity_of
from kerasft.training.interrupt import Request, interruptible
from kerasft.training.journal import History, Journal
from kerasft.training.keeper import Keeper
from kerasft.training.layer_rates import shares_of
from kerasft.training.memory_limit import told_when_full
from kerasft.training.optimizers import make_optimizer
from kerasft.training.progress import ProgressBar
from kerasft.training.recipe import Recipe
from kerasft.training.start import check_precision
from kerasft.training.state import State, read_state, write_state
from kerasft.training.thaw import Thaw
from kerasft.training.trainee import Trainee, assign, make_trainee, served_variables, values_of


def fit(
    learner: Learner,
    rows: Any,
    recipe: Recipe,
    run: str | Path,
    *,
    augmentation: Augmentation | None = None,
    cache: Path | None = None,
    console: Console | None = None,
    start: str | None = None,
) -> History:
    """Trains the learner's model, or goes on where an earlier call with the same `run` was stopped.

    Whenever that call was stopped, even by kill -9, the final weights equal those of an uninterrupted one,
    bit for bit. Call `prepare(recipe)` before building the model, so that its start is the same as well.

    Args:
        learner: its model is trained in place.
        rows: `.train` and `.validation` splits with a column for each input and for each target of the task,
            and `.fingerprint`. A target may be missing (None) in some rows where there are several.
        recipe: how to train.
        run: the run folder; receives checkpoints/, history.csv and, where asked for, tensorboard/.
        augmentation: what is done to train rows, or None.
        cache: folder for encoded inputs, or None to keep them in memory.
        console: where progress is shown; default: standard output.
        start: what tells the pretrained weights that the model starts from; a run that was begun with others is
            refused. Default None: none.

    Returns:
        The measurements of every epoch. A run that has ended is not trained again: its weights are loaded
        and its history is returned.

    Raises:
        InputError: if the run folder was begun with other data, another model or another recipe, or the
            recipe does not fit the model or the data.
        TrainingDiverged: if the loss or a weight becomes NaN or infinite.
        Interrupted: after Ctrl-C, once the batch is finished and everything is saved.

    Example:
        history = fit(learner, rows, Recipe(epochs=3), run="runs/imdb_lstm")
    """
    run, console, asked = Path(run), console or terminal(), recipe.epochs
    recipe = recipe.for_rows(len(rows.train))
    if recipe.epochs > asked:
        console.print(
            f"{len(rows.train):,} train rows are few: {recipe.epochs} epochs in place of {asked} (--least-steps)"
        )
    _check_monitor(recipe, rows)
    check_precision(learner.model, recipe.precision)
    identity = identity_of(learner, rows, recipe, augmentation)
    if start is not None:
        identity["start"] = start
    model, cut = learner.model, None
    if recipe.freeze == "backbone":
        refuse_augmentation(augmentation)
        cut = Cut(model)
        model, identity["backbone"] = cut.head, cut.digest()[:16]

    def feeds() -> tuple[Feed, Feed | None]:
        def arrays(split: Any) -> dict[str, Any]:
            encoded = learner.encode(split, cache)
            if cut is None:
                return encoded
            return {FEATURES: cut.features(encoded, cache, console, min(64, recipe.batch_size))}

        return make_feeds(arrays, learner, rows, recipe, augmentation)

    history = fit_feeds(model, learner.task, feeds, recipe, run, identity, console)
    return history if cut is None else dataclasses.replace(history, features_seconds=cut.seconds)


def fit_feeds(
    model: keras.Model,
    task: Any,
    feeds: Callable[[], tuple[Feed, Feed | None]],
    recipe: Recipe,
    run: Path,
    identity: dict[str, Any],
    console: Console,
) -> History:
    """Trains a model on batches, whatever they are made of; what `fit` does for a learner and its rows.

    Args:
        model: trained in place.
        task: has `parts` by the model's outputs, each with `loss()` and `metrics()`, and `loss_weights()` where
            there are several.
        feeds: makes the train feed and the validation feed or None; not called where the run has ended already.
        recipe: how to train.
        run: the run folder.
        identity: what decides the final weights, as JSON values; a run that was begun with another is refused.
        console: where progress is shown.

    Returns, Raises:
        As `fit`.
    """
    check_precision(model, recipe.precision)
    begun = run / "checkpoints" / "identity.json"
    if begun.exists():
        check_identity(begun, identity)
    final = run / "checkpoints" / "final.npz"
    if final.exists():
        state = read_state(final)
        assign(model.variables, state.group("model"))
        return History(**state.memory)

    with told_when_full(recipe):
        thaw = Thaw(recipe, model)  # before the rows are read, like the next: what the model cannot do is told at once
        shares_of(model, recipe.layer_decay, recipe.encoder_rate)
        feed, validation = feeds()
        trainee = _compiled(model, task, recipe, thaw, feed, validation)
        run.mkdir(parents=True, exist_ok=True)  # only now: a value that cannot be read leaves no begun run behind
        with sole_use(run), interruptible(console) as request, _accelerated(recipe, model, trainee):
            check_identity(begun, identity)
            keeper = _keeper(recipe, run, trainee, feed, validation, request)
            try:
                _train(keeper, recipe, thaw, console)
            finally:
                thaw.undo()
                feed.stop()
                if validation is not None:
                    validation.stop()
    return _finish(keeper, recipe, final)


def _check_monitor(recipe: Recipe, rows: Any) -> None:
    needed = recipe.early_stopping or recipe.schedule == "plateau"
    if needed and recipe.monitor.startswith("val_") and not has_validation(rows):
        raise InputError(
            "there are no validation rows to monitor",
            received=recipe.monitor,
            where="--monitor",
            hint="Hold out validation rows, or monitor loss or accuracy.",
        )


def _compiled(
    model: keras.Model, task: Any, recipe: Recipe, thaw: Thaw, feed: Feed, validation: Feed | None
) -> Trainee:
    trainee = make_trainee(model, task)
    trainee.penalise(recipe.l1, recipe.l2)
    trainee.feed_from(feed, validation)
    parts, several = task.parts, len(task.parts) > 1
    trainee.compile(
        optimizer=make_optimizer(recipe, trainee, len(feed.plan), thaw),
        loss={name: part.loss() for name, part in parts.items()},
        loss_weights=task.loss_weights() if several else None,
        # With several targets a row may lack one, which then has no weight.
        **{"weighted_metrics" if several else "metrics": {name: part.metrics() for name, part in parts.items()}},
        # Measured on TensorFlow and CPU: compiling the whole step makes recurrent layers no faster.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    _build_metrics(trainee, feed)
    return trainee


def _build_metrics(trainee: Trainee, feed: Feed) -> None:
    """Makes the metrics' variables, which Keras does at the first step, so that a checkpoint can fill them."""
    inputs, targets, *weights = feed[0]
    outputs = trainee(inputs, training=False)
    weights = weights[0] if weights else None
    trainee.compute_loss(inputs, targets, outputs, weights)  # with several targets, a mean for each one's loss
    trainee.compute_metrics(inputs, targets, outputs, weights)
    trainee.reset_metrics()
    feed.waited = 0.0


def _keeper(
    recipe: Recipe, run: Path, trainee: Trainee, feed: Feed, validation: Feed | None, request: Request
) -> Keeper:
    remembering: list[Remembering] = [Journal(run / "history.csv", feed, trainee.optimizer, len(feed.plan.lengths))]
    if recipe.ema:
        remembering.append(Average(recipe.ema, trainee))
    if recipe.schedule == "plateau":
        remembering.append(Plateau(recipe, len(feed.plan), trainee.optimizer))
    best = run / "checkpoints" / "best.npz"
    remembering.append(Best(recipe, keep=lambda: keeper.save_weights(best)))
    keeper = Keeper(run, trainee, feed, validation, remembering, recipe.checkpoint_seconds, recipe.epochs, request)
    return keeper


def _train(keeper: Keeper, recipe: Recipe, thaw: Thaw, console: Console) -> None:
    keeper.checkpoints.tidy()
    state = keeper.checkpoints.newest()
    if state is not None:
        keeper.restore(state)
        where = f"{keeper.feed.turn.lower()} {state.epoch + 1}, batch {state.step + 1} of {keeper.steps_per_epoch}"
        if state.epoch < recipe.epochs:
            console.print(f"Going on at {where}.", highlight=False)
    progress = ProgressBar(console, keeper.feed, recipe.epochs)
    callbacks = [*keeper.callbacks, progress, *_tensorboard(recipe, keeper.run), keeper]
    best = next(item for item in keeper.callbacks if isinstance(item, Best))
    try:
        while keeper.epoch < recipe.epochs and not best.stopped:
            # What is left of an epoch has its own number of batches, hence its own call.
            last = keeper.epoch + 1 if keeper.step else thaw.until(keeper.epoch, recipe.epochs)
            thaw.apply(keeper.epoch, keeper.trainee)
            _fit_epochs(keeper, callbacks, keeper.epoch, last)
    finally:
        progress.close()


def _fit_epochs(keeper: Keeper, callbacks: list[Any], first: int, last: int) -> None:
    keeper.feed.start(first, keeper.step)
    keeper.trainee.fit(
        keeper.feed,
        validation_data=keeper.validation,
        initial_epoch=first,
        epochs=last,
        callbacks=callbacks,
        shuffle=False,  # the plan has shuffled already
        verbose=0,
    )


def _tensorboard(recipe: Recipe, run: Path) -> list[Any]:
    if not recipe.tensorboard:
        return []
    return [keras.callbacks.TensorBoard(run / "tensorboard", write_graph=False, update_freq="epoch")]


def _accelerated(recipe: Recipe, model: keras.Model, trainee: Trainee) -> AbstractContextManager[Any]:
    losses = trainee.loss.values()
    return accelerated(model, losses=losses, recurrent=recipe.fast_recurrent, transformer=recipe.fast_transformer)


def _finish(keeper: Keeper, recipe: Recipe, final: Path) -> History:
    """Puts the chosen weights into the model, and keeps them in place of the checkpoints."""
    memory = {item.name: item for item in keeper.callbacks}
    best: Any = memory["best"]
    journal: Any = memory["journal"]
    if recipe.restore_best and best.epoch is not None:
        assign(keeper.trainee.variables, read_state(final.with_name("best.npz")).group("model"))
    elif keeper.average is not None:
        keeper.average.show()
    result = {
        "rows": journal.rows,
        "best_epoch": None if best.epoch is None else best.epoch + 1,
        "stopped_early": best.stopped,
    }
    state = State(keeper.epoch, keeper.step, result)
    state.put_group("model", values_of(served_variables(keeper.trainee)))
    write_state(final, state)
    keeper.checkpoints.clear()
    return History(**result)

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrain_toys import make_corpus, make_recipe, make_texts, toy_backbone
from rich.console import Console

from kerasft.base.errors import InputError
from kerasft.models.masked_lm import masked_lm
from kerasft.pretrain import instances
from kerasft.pretrain.corpus import Corpus
from kerasft.pretrain.feed import PretrainFeed
from kerasft.pretrain.fitting import _by_passes, _stretches, make_plan, pretrain
from kerasft.pretrain.objective import Objective
from kerasft.training.optimizers import kernels_of
from kerasft.training.schedules import make_schedule

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_corpus(make_texts(200), tmp_path_factory.mktemp("corpus"))


def corpus_of(lengths):
    """Documents of one sentence each, of so many tokens."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return Corpus(np.resize(np.arange(5, 9, dtype=np.int32), ends[-1]), ends, np.arange(len(lengths) + 1))


def plan_of(made, recipe=None, positions=32, **values):
    corpus, text = made
    return make_plan(corpus, toy_backbone(text.vocabulary, positions), Objective(**values), recipe or make_recipe())


def test_held_out_documents_are_never_trained_on(made):
    plan = plan_of(made, sequence=16)
    train, held = plan.train.instances.documents, plan.held_out.instances.documents
    assert sorted([*train, *held]) == list(range(200))
    assert 2 <= len(held) < 10
    assert plan_of(made, sequence=16).held_out.instances.documents.tolist() == held.tolist()


def test_epochs_are_passes_and_steps_may_stand_in_their_place(made):
    plan = plan_of(made, make_recipe(epochs=3), sequence=16, measurements=5)
    asked = math.ceil(3 * plan.train.per_pass / 4)
    assert 3 <= plan.stretches <= 5
    assert plan.steps == len(plan.train) * plan.stretches
    assert asked - 3 < plan.steps <= asked
    more = plan_of(made, make_recipe(epochs=3, least_steps=plan.steps + 50), sequence=16, measurements=5)
    assert plan.steps + 47 <= more.steps < plan.steps + 150  # whole passes are added
    plan = plan_of(made, sequence=16, steps=100, measurements=8)
    assert (plan.steps, plan.stretches) == (100, 5)  # stretches of equal length
    plan = plan_of(made, sequence=16, steps=3, measurements=8)
    assert (plan.steps, plan.stretches) == (3, 3)


@given(st.integers(1, 100_000), st.integers(1, 40))
def test_no_more_steps_are_made_than_asked_for_and_hardly_fewer(steps, measurements):
    stretches = _stretches(steps, measurements)
    assert min(measurements, steps) / 2 <= stretches <= measurements
    left = steps - steps // stretches * stretches
    assert left <= measurements / 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sequence": 33}, "the sequences are longer than the backbone's positions. Received: 33. Where: --sequence."),
        ({"mask_rate": 1.0}, "the mask rate must be above 0 and below 1. Received: 1.0. Where: --mask-rate."),
        ({"steps": -1}, "steps must be at least 0. Received: -1. Where: --steps."),
        ({"measurements": 0}, "measurements must be at least 1. Received: 0. Where: --measurements."),
    ],
)
def test_options_out_of_bounds_are_refused(made, values, message):
    with pytest.raises(InputError) as error:
        plan_of(made, **{"sequence": 16, **values})
    assert str(error.value).startswith(message)


def test_what_to_do_is_said_in_the_options_of_pretraining(made):
    with pytest.raises(InputError) as error:
        plan_of(made, sequence=33)
    assert str(error.value).endswith(
        "Allowed: 3 to 32. Give a smaller --sequence, or begin a new backbone with more --positions."
    )
    corpus, text = made
    narrow = toy_backbone(text.vocabulary[:7])
    with pytest.raises(InputError) as error:
        make_plan(corpus, narrow, Objective(16), make_recipe())
    assert str(error.value) == (
        "a backbone wider than its vocabulary cannot start from which tokens stand beside which. "
        "Received: 'width 8 for 7 different tokens'. Where: --size. "
        "Give more text, a larger --vocabulary, a smaller --size if there is one, or --no-informed-start."
    )


def test_a_frozen_encoder_is_refused(made):
    for freeze in ("backbone", "gradual", "embedding"):
        with pytest.raises(InputError) as error:
            plan_of(made, make_recipe(epochs=2, freeze=freeze), sequence=16)
        assert str(error.value) == (
            f"pretraining trains the whole encoder. Received: '{freeze}'. Where: --freeze. Allowed: none. "
            "Leave --freeze out; it is an option of fine-tuning."
        )


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("layer_decay", 0.9, "pretraining trains all layers at one rate"),
        ("encoder_rate", 0.5, "pretraining trains nothing but an encoder"),
    ],
)
def test_options_of_fine_tuning_are_refused(made, option, value, what):
    with pytest.raises(InputError) as error:
        plan_of(made, make_recipe(**{option: value}), sequence=16)
    said = "--" + option.replace("_", "-")
    assert str(error.value) == (
        f"{what}. Received: {value}. Where: {said}. Allowed: 1.0. Leave {said} out; it is an option of fine-tuning."
    )


def test_the_rate_decays_by_passes_not_by_measurements(made):
    plan = plan_of(made, make_recipe(epochs=2), sequence=16, measurements=10)
    found = _by_passes(make_recipe(schedule="step", decay_epochs=1.0), plan)
    steps = make_schedule(found, len(plan.train)).decay_steps
    assert steps == pytest.approx(plan.train.per_pass / 4, abs=1)  # batches of 4
    linear = make_recipe(schedule="linear")
    assert _by_passes(linear, plan) is linear


def test_of_few_long_texts_one_is_held_out(made, tmp_path):
    books = Corpus(np.tile(np.arange(5, 9, dtype=np.int32), 750), np.array([0, 1000, 2000, 3000]), np.arange(4))
    assert len(plan_of((books, made[1]), sequence=16).held_out.instances.documents) == 1


def test_pairs_of_a_pass_are_made_once(made, monkeypatch):
    plan = plan_of(made, sequence=16, next_sentence=True, steps=60, measurements=2)
    counted, make = [], instances.pair_spans
    monkeypatch.setattr(instances, "pair_spans", lambda *given: counted.append(1) or make(*given))
    feed = PretrainFeed(plan.train, plan.masking, next_sentence=True)
    for step in range(0, 60, 3):
        feed._sequences(plan.train.per_pass + np.arange(4) + step)  # of the second pass, and from there on
    assert len(counted) <= 3


def test_too_little_text_is_refused(tmp_path, made):
    corpus = Corpus(np.arange(40, dtype=np.int32), np.array([0, 20, 40]), np.array([0, 1, 2]))
    with pytest.raises(InputError) as error:
        plan_of((corpus, made[1]), sequence=16)
    assert str(error.value) == (
        "all texts together are too short to learn from and to measure on. Received: '2 texts of 40 tokens'. "
        "Where: --sequence. Allowed: at least 64 tokens for sequences of 16. Give more text or a smaller --sequence."
    )
    lone = Corpus(np.arange(40, dtype=np.int32), np.array([0, 40]), np.array([0, 1]))
    with pytest.raises(InputError, match="pretraining needs at least two texts, one of them to measure on"):
        plan_of((lone, made[1]), sequence=16)


def test_one_text_of_nearly_all_words_is_learned_from(made):
    for lengths in ([3000, 20], [20, 3000], [3000, 10, 10]):
        plan = plan_of((corpus_of(lengths), made[1]), sequence=16)
        assert lengths.index(3000) in plan.train.instances.documents
    with pytest.raises(InputError) as error:
        plan_of((corpus_of([9, 3000, 3]), made[1]), sequence=16)
    assert str(error.value) == (
        "nearly all words stand in one text, and the others are too short to measure on. "
        "Received: '12 tokens in 2 texts beside it'. Where: --sequence. Allowed: at least 16 tokens for sequences of "
        "16. Divide the long text into rows, a paragraph each, or give a smaller --sequence."
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=12), st.integers(0, 9))
def test_both_parts_have_a_sequence_however_long_the_texts_are(made, lengths, seed):
    texts = corpus_of(lengths), made[1]
    if max(lengths) > sum(lengths) - 16 or sum(lengths) < 64:
        with pytest.raises(InputError, match=r"too short to learn from|nearly all words"):
            plan_of(texts, make_recipe(seed=seed), sequence=16)
        return
    plan = plan_of(texts, make_recipe(seed=seed), sequence=16)
    for part in (plan.train, plan.held_out):
        assert np.take(lengths, part.instances.documents).sum() >= 16


def test_what_can_be_learned_is_learned_and_measured(tmp_path):
    texts = [f"{' '.join([word] * 31 + [str(number)])}." for number in range(20) for word in ("red", "green", "blue")]
    corpus, text = make_corpus(texts, tmp_path / "cache")
    recipe = make_recipe(learning_rate=0.03, weight_decay=0.0)
    objective = Objective(16, steps=150, measurements=2)
    _, history = pretrain(corpus, toy_backbone(text.vocabulary), objective, recipe, tmp_path / "run", console=QUIET)
    losses, accuracies = history.column("val_loss"), history.column("val_accuracy")
    assert losses[-1] < losses[0] < math.log(len(text.vocabulary))
    assert accuracies[-1] > 0.6


def test_weight_decay_spares_biases_norms_and_embeddings(made):
    model = masked_lm(toy_backbone(made[1].vocabulary))
    spared = {v.path for v in model.trainable_variables} - {v.path for v in kernels_of(model)}
    assert spared
    assert all(name.split("/")[-1] in ("bias", "beta", "gamma", "embeddings") for name in spared), spared


def test_a_run_that_was_begun_otherwise_is_refused(made, tmp_path):
    corpus, text = made
    recipe = make_recipe()
    pretrain(corpus, toy_backbone(text.vocabulary), Objective(16, steps=2), recipe, tmp_path, console=QUIET)
    other = Objective(16, steps=2, mask_rate=0.2)
    with pytest.raises(InputError, match=r"begun with other settings: .*mask_rate 0\.15 -> 0\.2"):
        pretrain(corpus, toy_backbone(text.vocabulary), other, recipe, tmp_path, console=QUIET)

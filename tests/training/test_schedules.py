import keras
import pytest

from kerasft.training import Recipe
from kerasft.training.schedules import make_schedule


def rates(steps, steps_per_epoch=10, **values):
    schedule = make_schedule(Recipe(epochs=4, learning_rate=0.1, **values), steps_per_epoch)
    return [float(schedule(step)) for step in steps]


def test_constant_stays():
    assert rates([0, 20, 39]) == pytest.approx([0.1, 0.1, 0.1])


def test_warmup_rises_in_a_line_and_reaches_the_peak():
    assert rates([0, 1, 7, 8], warmup=0.2) == pytest.approx([0.1 / 8, 0.2 / 8, 0.1, 0.1])


def test_step_falls_at_once():
    assert rates([9, 10, 19, 20], schedule="step") == pytest.approx([0.1, 0.05, 0.05, 0.025])


def test_exponential_falls_smoothly_per_epoch():
    assert rates([0, 5, 10], schedule="exponential", decay=0.25) == pytest.approx([0.1, 0.05, 0.025])


def test_linear_ends_at_the_floor():
    assert rates([0, 20, 40, 50], schedule="linear", floor=0.1) == pytest.approx([0.1, 0.055, 0.01, 0.01])


def test_cosine_is_half_way_in_the_middle_between_warmup_and_end():
    assert rates([4, 22, 40], schedule="cosine", warmup=0.1) == pytest.approx([0.1, 0.05, 0.0])


def test_plateau_has_no_schedule():
    assert make_schedule(Recipe(schedule="plateau"), 10) is None


@pytest.mark.parametrize("name", ["constant", "step", "exponential", "linear", "cosine"])
def test_schedules_survive_serialisation(name):
    schedule = make_schedule(Recipe(schedule=name, warmup=0.1, epochs=4), 10)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is type(schedule)
    assert [float(again(step)) for step in (0, 3, 17)] == [float(schedule(step)) for step in (0, 3, 17)]

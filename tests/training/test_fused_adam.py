import keras
import numpy as np
import pytest

from kerasft.training.fused_adam import FusedAdam


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "global_clipnorm": 0.5}, {"amsgrad": True}])
def test_updates_are_those_of_keras(options):
    random = np.random.default_rng(0)
    gradients = [random.normal(size=(5, 3)).astype(np.float32) for _ in range(4)]
    values = []
    for kind in (keras.optimizers.Adam, FusedAdam):
        schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 10)
        optimizer, variable = kind(schedule, beta_2=0.99, **options), keras.Variable(np.ones((5, 3), np.float32))
        optimizer.build([variable])
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        values.append([keras.ops.convert_to_numpy(one) for one in [variable, *optimizer.variables]])
    for ours, theirs in zip(*reversed(values), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)

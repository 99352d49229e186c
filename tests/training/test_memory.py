import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

STEPS = """
import resource
import keras, numpy as np
import tensorflow as tf
from kerasft.training.feed import Feed
from kerasft.inputs.batching import BatchPlan
from kerasft.training.trainee import Trainee

inputs = keras.Input((1,), name="x")
wide = keras.ops.ones((1, 4_000_000)) * inputs  # 16 MB a row, freed after every step
model = Trainee({"x": inputs}, {"y": keras.ops.sum(wide, axis=1)})
rows = 200
arrays, targets = {"x": np.ones((rows, 1), "float32")}, {"y": np.ones(rows, "float32")}
feed = Feed(arrays, targets, BatchPlan(np.ones(rows, int), 1, seed=0))
model.feed_from(feed, None)
faults = []

class Count(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

model.compile(loss={"y": "mse"}, optimizer="sgd")
model.fit(feed, callbacks=[Count()], shuffle=False, verbose=0)
print(int(np.median(np.diff(faults[100:]))))  # by then every thread's own part of the heap has served once
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is asked")
def test_the_memory_of_a_step_is_kept_for_the_next_one():
    environment = {**os.environ, "PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 500  # 16 MB are 4,096 pages

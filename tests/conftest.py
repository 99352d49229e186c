"""What all tests share."""

import os
import random

import pytest

# What TensorFlow and the data sets' library set for their process on import is inherited by the commands that tests
# start. A user's command starts without it, and then sets this itself.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


@pytest.fixture(autouse=True, scope="module")
def _seeded_module():
    random.seed(0)  # before what a module's tests share is made


@pytest.fixture(autouse=True)
def _seeded(_seeded_module):
    """Keras draws the seeds that nobody gave, of dropout for one, from here: the same whatever ran before."""
    random.seed(0)

"""What all tests share."""

import os

# What TensorFlow and the data sets' library set for their process on import is inherited by the commands that tests
# start. A user's command starts without it, and then sets this itself.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import subprocess
import sys

import keras
import pytest

from kerasft.base.errors import InputError
from kerasft.models import lstm_classifier
from kerasft.models.saved import load_model


def test_keras_hub_is_imported_only_where_it_is_named(tmp_path):
    lstm_classifier(9, 2, embedding=4, width=3).save(tmp_path / "model.keras")
    code = (
        "import sys\n"
        "from kerasft.models.saved import load_model\n"
        f"load_model({str(tmp_path / 'model.keras')!r})\n"
        "print('keras_hub' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_an_optimizer_stays_where_it_was(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    assert not load_model(tmp_path / "model.keras").compiled


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_model_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(InputError) as told:
        load_model(tmp_path / "model.keras")
    assert "the model cannot be read: " in str(told.value)
    assert "model.keras" in str(told.value)

import keras
import numpy as np

from kerasft.models.framing import framed


def test_a_frame_goes_round_each_text():
    tokens = np.array([[7, 8, 9], [7, 0, 0], [0, 0, 0]], np.int32)
    ids, mask = (np.asarray(part) for part in framed(tokens, cls_id=2, sep_id=3))
    assert ids.tolist() == [[2, 7, 8, 9, 3], [2, 7, 3, 0, 0], [2, 3, 0, 0, 0]]
    assert mask.tolist() == (ids != 0).tolist()
    assert ids.dtype == np.int32


def test_the_frame_is_part_of_a_model(tmp_path):
    given = keras.Input((None,), dtype="int32", name="text")
    ids, mask = framed(given, 101, 102)
    keras.Model(given, [ids, mask]).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    ids, mask = model.predict(np.array([[5, 6, 0]], np.int32), verbose=0)
    assert ids.tolist() == [[101, 5, 6, 102, 0]]
    assert mask.tolist() == [[True, True, True, True, False]]

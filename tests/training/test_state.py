import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.training.state import Checkpoints, State, read_state, write_state


def state(step=3):
    result = State(epoch=1, step=step, memory={"best": {"value": 0.1 + 0.2, "epoch": None}})
    result.put_group("model", [np.arange(6, dtype="float32").reshape(2, 3), np.array(7, "int64"), np.zeros((0, 2))])
    return result


def test_a_state_comes_back_as_it_was(tmp_path):
    write_state(tmp_path / "a.npz", state())
    again = read_state(tmp_path / "a.npz")
    assert (again.epoch, again.step, again.memory) == (1, 3, state().memory)
    for left, right in zip(again.group("model"), state().group("model"), strict=True):
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)


def test_bfloat16_is_stored_exactly(tmp_path):
    import ml_dtypes

    values = np.array([1.5, -3.0e38, 1e-30], ml_dtypes.bfloat16)
    write_state(tmp_path / "a.npz", State(0, 0, arrays={"model/0": values}))
    assert np.array_equal(read_state(tmp_path / "a.npz").group("model")[0].astype(ml_dtypes.bfloat16), values)


def test_the_newest_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for number in (1, 2, 3):
        checkpoints.save(state(step=number), number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000002.npz", "step-000000003.npz"]
    assert checkpoints.newest().step == 3


@pytest.mark.parametrize("damage", ["torn", "empty", "flipped", "foreign"])
def test_a_damaged_newest_falls_back_to_the_one_before(tmp_path, damage, caplog):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state(step=1), 1)
    path = checkpoints.save(state(step=2), 2)
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        content = {"torn": content[: len(content) // 2], "empty": b"", "foreign": b"not a zip file"}[damage]
    path.write_bytes(bytes(content))
    assert checkpoints.newest().step == 1
    assert "step-000000002.npz" in caplog.text
    assert "The checkpoint before it is used." in caplog.text


def test_an_altered_value_does_not_match_the_digest(tmp_path):
    write_state(tmp_path / "a.npz", state())
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    arrays["model/0"] = arrays["model/0"] + 1
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match="a checkpoint does not match its own digest"):
        read_state(tmp_path / "a.npz")


def test_no_checkpoint_is_none_and_leftovers_are_removed(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.newest() is None
    (tmp_path / ".step-000000001.npz.0a1b2c3d.tmp").write_bytes(b"half")
    checkpoints.tidy()
    assert list(tmp_path.iterdir()) == []

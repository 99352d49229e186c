import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.base.errors import InputError
from kerasft.inputs import Ragged
from kerasft.inputs.ragged import spans

ROWS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


@given(ROWS)
def test_rows_come_back_as_they_went_in(rows):
    ragged = Ragged.from_rows(rows)
    assert [ragged.row(index).tolist() for index in range(len(ragged))] == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int32, np.int64)


@given(ROWS, st.integers(0, 3), st.integers(-1, 9))
def test_pad_fills_on_the_right(rows, extra, value):
    width = max(map(len, rows), default=0) + extra
    padded = Ragged.from_rows(rows).pad(width, value=value)
    assert padded.tolist() == [row + [value] * (width - len(row)) for row in rows]
    assert padded.dtype == np.int32


@given(ROWS, st.data())
def test_choosing_rows_is_choosing_from_a_list(rows, data):
    ragged = Ragged.from_rows(rows)
    indices = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1)) if rows else st.just([]))
    chosen = ragged[np.array(indices, dtype=np.int64)]
    assert [chosen.row(i).tolist() for i in range(len(chosen))] == [rows[index] for index in indices]
    part = data.draw(st.slices(len(rows)))
    assert [row.tolist() for row in map(ragged[part].row, range(len(ragged[part])))] == rows[part]
    mask = np.array([len(row) % 2 == 1 for row in rows], dtype=bool)
    assert ragged[mask].lengths.tolist() == [len(row) for row in rows if len(row) % 2]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
def test_spans_are_ranges_end_to_end(pairs):
    starts, lengths = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    assert spans(starts, lengths).tolist() == [start + i for start, length in pairs for i in range(length)]


@pytest.mark.parametrize("rows", [[], [[]], [[1, 2], [], [3]]])
@pytest.mark.parametrize("mmap", [True, False])
def test_saved_rows_come_back(tmp_path, rows, mmap):
    Ragged.from_rows(rows).save(tmp_path / "rows")
    loaded = Ragged.load(tmp_path / "rows", mmap=mmap)
    assert [loaded.row(i).tolist() for i in range(len(loaded))] == rows
    if rows and rows[0]:
        assert isinstance(loaded.values, np.memmap) == mmap


def test_concatenate_keeps_the_order():
    parts = [Ragged.from_rows([[1], [2, 3]]), Ragged.from_rows([]), Ragged.from_rows([[4, 5]])]
    assert Ragged.concatenate(parts).pad().tolist() == [[1, 0], [2, 3], [4, 5]]


def test_a_row_longer_than_the_width_is_refused():
    with pytest.raises(InputError, match=r"longer than the width.*Received: 3. Allowed: at most 2"):
        Ragged.from_rows([[1], [1, 2, 3]]).pad(2)


@pytest.mark.parametrize("offsets", [[], [0], [0, 3], [1, 2], [0, 3, 2], [0, 2, 1, 2]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(InputError, match="offsets must ascend from 0"):
        Ragged(np.zeros(2, np.int32), np.array(offsets, dtype=np.int64))


def test_other_types_are_refused():
    with pytest.raises(InputError, match=r"flat int32 values and int64 offsets.*float64\[2\]"):
        Ragged(np.zeros(2), np.array([0, 2]))


def test_a_missing_or_broken_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read.*values\.npy"):
        Ragged.load(tmp_path / "nowhere")
    Ragged.from_rows([[1, 2, 3]]).save(tmp_path / "rows")
    whole = (tmp_path / "rows/values.npy").read_bytes()
    (tmp_path / "rows/values.npy").write_bytes(whole[:-4])
    with pytest.raises(InputError, match=r"cannot be read.*values\.npy"):
        Ragged.load(tmp_path / "rows")
    (tmp_path / "rows/values.npy").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        Ragged.load(tmp_path / "rows")

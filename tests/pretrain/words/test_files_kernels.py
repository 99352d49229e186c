import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.pretrain.words.files_kernels import LONGEST_NUMBER, POWERS, format_rows, parse_lines

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


def written(matrix: np.ndarray) -> list[bytes]:
    out, ends = np.empty(matrix.size * LONGEST_NUMBER, np.uint8), np.empty(len(matrix), np.int64)
    format_rows(matrix, out, ends, POWERS)
    return [part[1:] for part in np.split(out, ends)[:-1] for part in [part.tobytes()]]


def parsed(text: bytes, dimension: int, rows: int = 10) -> tuple[np.ndarray, int]:
    matrix, spans = np.full((rows, dimension), np.nan, np.float32), np.empty((rows, 2), np.int64)
    row, position = parse_lines(np.frombuffer(text, np.uint8), 0, matrix, 0, spans, POWERS)
    return matrix[:row], position


@settings(deadline=None)  # the first call compiles
@given(st.lists(finite, min_size=1, max_size=6))
def test_what_is_written_reads_as_the_same_float32_by_python_and_here(numbers):
    row = np.array([numbers], np.float32)
    [text] = written(row)
    assert all(len(number) < LONGEST_NUMBER for number in text.split())
    by_python = np.array([[np.float32(float(number)) for number in text.split()]])
    np.testing.assert_array_equal(by_python.view(np.int32), row.view(np.int32))
    here, position = parsed(b"w " + text + b"\n", len(numbers))
    if position:  # else it was left to Python, on the edge between two
        np.testing.assert_array_equal(here.view(np.int32), row.view(np.int32))


def test_all_kinds_of_float32_are_written_so_that_they_read_the_same():
    bits = np.random.default_rng(0).integers(0, 1 << 32, 20_000, np.uint64).astype(np.uint32).view(np.float32)
    bits = bits[np.isfinite(bits)]
    edges = np.ldexp(np.float32(1), np.arange(-149, 128)).astype(np.float32)  # powers of two, the smallest of all too
    powers = np.array([f"1e{power}" for power in range(-45, 39)], np.float32)
    near = [np.nextafter(values, np.float32(way)) for values in (edges, powers) for way in (0, np.inf)]
    numbers = np.concatenate([bits, edges, powers, *near]).astype(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    back = np.array([np.float32(text.decode()) for text in written(numbers[:, None])])
    np.testing.assert_array_equal(back.view(np.int32), numbers.view(np.int32))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.418, "0.418"), (-2, "-2"), (0, "0"), (-0.0, "-0"), (1e-5, "1e-05"), (123456.7, "123456.7"), (1e12, "1e+12")],
)
def test_few_digits_where_few_will_do(number, text):
    assert written(np.array([[number]], np.float32)) == [text.encode()]


@settings(deadline=None)  # the first call compiles
@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([repr, "{:.6f}".format, "{:.12e}".format]))
def test_a_number_is_the_float32_that_python_makes_of_it_or_left_to_python(number, form):
    text = form(number)
    with np.errstate(over="ignore"):
        wanted = np.float32(float(text))
    found, position = parsed(f"w {text}\n".encode(), 1)
    if position:
        assert found.view(np.int32) == wanted.view(np.int32)


def test_numbers_of_float64_are_read_here_and_not_left_to_python():
    numbers = np.random.default_rng(0).normal(size=(1000, 1))
    text = "".join(f"w {number!r}\n" for number in numbers[:, 0].tolist()).encode()
    found, position = parsed(text, 1, rows=1000)
    assert position == len(text)
    np.testing.assert_array_equal(found, numbers.astype(np.float32))


UNORDINARY = ["w", "w ", "w 1", "w 1 2 3", " 1 2", "w 1 x", "w 1 2x", "w 1 .", "w 1 -", "w 1 1e", "w 1 1e+", "w nan 1"]
UNORDINARY += [
    "w 1 inf",
    "w 1 1e39",
    "w 1 1e400",
    "w 1 1_0",
    "w 1 1,0",
    "w 1 12345678901234567890",
    "",
    "\r",
    "w 1 0x1p2",
]


@pytest.mark.parametrize("line", UNORDINARY)
def test_a_line_that_is_not_ordinary_is_where_reading_stops(line):
    before = b"a 1 2\n"
    found, position = parsed(before + line.encode() + b"\nb 3 4\n", 2)
    assert (found.tolist(), position) == ([[1, 2]], len(before))


def test_blanks_between_and_after_numbers_do_not_matter():
    found, position = parsed(b"a\t1  +2 \r\nb 3 \t 4.e0\t\n", 2)
    assert (found.tolist(), position) == ([[1, 2], [3, 4]], 22)

"""Decimal numbers read and written by the million: the text formats of word vectors consist of little else.

What is ordinary is done here at memory's pace; whatever is not (a number on the edge between two float32, a word with
a space, a broken line) is left to Python, one line at a time. No fastmath: that a number read is the float32 nearest
to what is written rests on each operation being rounded as IEEE 754 says.
"""

import numpy as np
from numba import njit

compiled = njit(nogil=True, error_model="numpy", cache=True)
inline = njit(inline="always", error_model="numpy")

LONGEST_NUMBER = 16  # bytes: "-1.23456789e-38" and a space before it
POWERS = np.array([float(f"1e{power}") for power in range(309)])  # each within half a unit of its last place

_NEWLINE, _RETURN, _TAB, _SPACE, _DOT, _MINUS, _PLUS, _ZERO = (np.uint8(ord(sign)) for sign in "\n\r\t .-+0")
_SMALL_E, _LARGE_E = np.uint8(ord("e")), np.uint8(ord("E"))
_TEN = np.uint8(10)
_DIGITS = 19  # the most that always fit into 64 bits
_EXPONENT = 280  # past it an intermediate result could leave the range of float64
_EXACT_POWER, _LARGEST_EXACT = 22, np.uint64(1 << 53)
_BELOW, _ABOVE = 1 - 2.0**-50, 1 + 2.0**-50  # eight units in the last place; the arithmetic here errs by less than two


@compiled
def parse_lines(block, position, matrix, row, spans, powers):
    """Reads lines "word number number ... number" up to the first that is not ordinary.

    Args:
        block: uint8 [bytes]; ends with a newline.
        position: where the first line begins.
        matrix: float32 [rows, dimension]; numbers are written into it from `row` on.
        row: of the first line.
        spans: int64 [rows, 2]; receives where each word begins and ends.
        powers: POWERS.

    Returns:
        The next row, and where the next line begins: the end of the block, or a line that was not ordinary.
    """
    rows, dimension = matrix.shape
    while position < len(block) and row < rows:
        at = position
        while block[at] != _SPACE and block[at] != _TAB and block[at] != _NEWLINE:
            at += 1
        spans[row, 0], spans[row, 1] = position, at
        ordinary = at > position
        for column in range(dimension if ordinary else 0):
            while block[at] == _SPACE or block[at] == _TAB:
                at += 1
            at, number, ordinary = _number(block, at, powers)
            if not ordinary:
                break
            matrix[row, column] = number
        if not ordinary:
            break
        while block[at] == _SPACE or block[at] == _TAB or block[at] == _RETURN:
            at += 1
        if block[at] != _NEWLINE:
            break
        row += 1
        position = at + 1
    return row, position


@compiled
def _number(block, at, powers):
    """A decimal number: where it ends, its float32, and whether it was read and surely right."""
    negative = block[at] == _MINUS
    if negative or block[at] == _PLUS:
        at += 1
    mantissa, exponent, first = np.uint64(0), 0, at
    while block[at] == _ZERO:
        at += 1
    digits = -at  # those that count, without zeros before them
    while np.uint8(block[at] - _ZERO) < _TEN:
        mantissa = mantissa * np.uint64(10) + np.uint64(block[at] - _ZERO)
        at += 1
    digits += at
    read = at - first
    if block[at] == _DOT:
        at += 1
        point = at
        if digits == 0:
            while block[at] == _ZERO:
                at += 1
        digits -= at
        while np.uint8(block[at] - _ZERO) < _TEN:
            mantissa = mantissa * np.uint64(10) + np.uint64(block[at] - _ZERO)
            at += 1
        exponent = point - at
        digits += at
        read += at - point
    readable = read > 0 and digits <= _DIGITS
    if readable and (block[at] == _SMALL_E or block[at] == _LARGE_E):
        at += 1
        down = block[at] == _MINUS
        if down or block[at] == _PLUS:
            at += 1
        first, power = at, 0
        while np.uint8(block[at] - _ZERO) < _TEN and at < first + 4:
            power = power * 10 + np.int64(block[at] - _ZERO)
            at += 1
        readable = at > first
        exponent += -power if down else power
    ends = block[at] == _SPACE or block[at] == _TAB or block[at] == _NEWLINE or block[at] == _RETURN
    if not readable or not ends or abs(exponent) > _EXPONENT:
        return at, np.float32(0), False
    exact = np.float64(mantissa)
    exact = exact / powers[-exponent] if exponent < 0 else exact * powers[exponent]
    number = np.float32(exact)
    # One operation on two exact numbers is right to the last bit (Clinger 1990); after more, the edges must be far.
    sure = mantissa <= _LARGEST_EXACT and abs(exponent) <= _EXACT_POWER
    sure = sure or np.float32(exact * _BELOW) == np.float32(exact * _ABOVE)
    sure = sure and abs(number) < np.float32(np.inf)
    return at, -number if negative else number, sure


@compiled
def format_rows(matrix, out, ends, powers):
    """Writes " number number ... number" for each row: the fewest of 7, 8 or 9 digits that read as the same float32.

    Args:
        matrix: float32 [rows, dimension], finite.
        out: uint8 [rows * dimension * LONGEST_NUMBER]; receives the text.
        ends: int64 [rows]; receives where each row's text ends.
        powers: POWERS.
    """
    at = 0
    digits = np.empty(9, np.uint8)
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            out[at] = _SPACE
            at = _write(matrix[row, column], out, at + 1, digits, powers)
        ends[row] = at


@compiled
def _write(number, out, at, digits, powers):
    size = abs(np.float64(number))
    if np.signbit(number):
        out[at] = _MINUS
        at += 1
    if size == 0:
        out[at] = _ZERO
        return at + 1
    power = np.int64(np.floor(np.log10(size)))
    mantissa, power = _nine_digits(size, power, powers)
    # Where powers of ten are exact, and so is this test, 7 or 8 digits may do. 9 always do.
    if -13 <= power <= 15:
        for dropped in (100, 10):
            shorter = (mantissa + dropped // 2) // dropped * dropped
            back = shorter * powers[power - 8] if power >= 8 else shorter / powers[8 - power]
            if np.float32(back) == np.float32(size):
                mantissa = shorter
                break
    if mantissa >= 1_000_000_000:
        mantissa, power = mantissa // 10, power + 1
    for place in range(8, -1, -1):
        digits[place] = _ZERO + np.uint8(mantissa % 10)
        mantissa //= 10
    used = 9
    while digits[used - 1] == _ZERO and used > 1:
        used -= 1
    if -5 < power < 9:
        return _write_fixed(out, at, digits, used, power)
    return _write_scientific(out, at, digits, used, power)


@inline
def _nine_digits(size, power, powers):
    """`size` as a number of nine digits times 10^(power - 8); `power` may be one off beforehand."""
    for _ in range(2):
        scaled = size * powers[8 - power] if power <= 8 else size / powers[power - 8]
        if scaled < 100_000_000:
            power -= 1
        elif scaled >= 1_000_000_000:
            power += 1
    scaled = size * powers[8 - power] if power <= 8 else size / powers[power - 8]
    return np.int64(np.floor(scaled + 0.5)), power


@compiled
def _write_fixed(out, at, digits, used, power):
    if power < 0:
        out[at], out[at + 1] = _ZERO, _DOT
        at += 2
        for _ in range(-power - 1):
            out[at] = _ZERO
            at += 1
    for place in range(max(used, power + 1)):
        if place == power + 1 and power >= 0:
            out[at] = _DOT
            at += 1
        out[at] = digits[place]
        at += 1
    return at


@compiled
def _write_scientific(out, at, digits, used, power):
    for place in range(used):
        if place == 1:
            out[at] = _DOT
            at += 1
        out[at] = digits[place]
        at += 1
    out[at], out[at + 1] = _SMALL_E, _MINUS if power < 0 else _PLUS
    out[at + 2], out[at + 3] = _ZERO + np.uint8(abs(power) // 10), _ZERO + np.uint8(abs(power) % 10)
    return at + 4

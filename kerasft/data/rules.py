"""Rules: small conditions on a column that say which rows a split takes, such as "id % 10 == 0"."""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasft.base.errors import InputError, did_you_mean

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_RULE = re.compile(r"\s*(\S.*?)\s*(?:%\s*([0-9]{1,18})\s*)?(==|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL)
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,4000}\s*")
_DECIMAL = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*")
_EXAMPLE = 'COLUMN OP VALUE or COLUMN % N OP VALUE with OP in == != < <= > >=, such as "id % 10 == 0"'


@dataclass(frozen=True)
class Rule:
    """A condition on one column.

    Args:
        source: the rule as it was written.
        column: the column's name.
        divisor: the whole number after %, or None.
        compare: "==", "!=", "<", "<=", ">" or ">=".
        value: what to compare with, as written, without quotes around it.

    Example:
        >>> rule = Rule.parse("take < 5", "--test-where")
        >>> rule.holds("4"), rule.holds("10"), rule.holds(None)
        (True, False, False)
    """

    source: str
    column: str
    divisor: int | None
    compare: str
    value: str

    @classmethod
    def parse(cls, source: str, where: str) -> "Rule":
        """Reads a rule.

        Raises:
            InputError: if it is none.
        """
        found = _RULE.fullmatch(source)
        if found is None:
            raise InputError("a rule cannot be read", received=source, where=where, allowed=_EXAMPLE)
        column, divisor, compare, value = found.groups()
        if value.startswith("="):
            raise InputError("a rule cannot be read", received=source, where=where, allowed=_EXAMPLE)
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        elif not value:
            raise InputError("a rule has no value", received=source, where=where, allowed=_EXAMPLE)
        if divisor is not None and (int(divisor) == 0 or not _WHOLE.fullmatch(value)):
            what = "a rule with % takes whole numbers, the first of them above 0"
            raise InputError(what, received=source, where=where, allowed=_EXAMPLE)
        return cls(source, column, None if divisor is None else int(divisor), compare, value)

    def check(self, columns: Sequence[str], where: str) -> None:
        """Refuses a name that is no column.

        Raises:
            InputError: naming the nearest column, and what a rule looks like.
        """
        if self.column not in columns:
            near = did_you_mean(self.column, columns)
            raise InputError(
                f"the rule {self.source!r} names a column that is not there",
                received=self.column,
                where=where,
                allowed=columns,
                hint=(near + " " if near else "") + f"A rule is {_EXAMPLE}",
            )

    def holds(self, value: Any) -> bool:
        """Whether a value meets the rule; a missing one never does. Numbers compare as numbers if both are some.

        Raises:
            ValueError: if the rule has a divisor and the value is no whole number.
        """
        text = _text(value)
        if text is None:
            return False
        compare = _COMPARE[self.compare]
        if self.divisor is not None:
            if not _WHOLE.fullmatch(text):
                raise ValueError(text)
            return compare(int(text) % self.divisor, int(self.value))
        numbers = _number(text), _number(self.value)
        return compare(text, self.value) if None in numbers else compare(*numbers)

    def rows(self, batches: Iterator[list[Any]], count: int, where: Callable[[int], str]) -> np.ndarray:
        """bool [rows]: which values of a column meet the rule.

        Args:
            batches: the column's values in lists.
            count: rows of the column.
            where: the place of a row.

        Raises:
            InputError: for a value that cannot be divided.
        """
        result, row = np.zeros(count, bool), 0
        for batch in batches:
            for value in batch:
                try:
                    result[row] = self.holds(value)
                except ValueError:
                    raise InputError(
                        f"the rule {self.source!r} needs whole numbers", received=value, where=where(row)
                    ) from None
                row += 1
        return result


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _number(text: str) -> int | float | None:
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None

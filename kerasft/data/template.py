"""Templates: names of media files made of the values of columns, such as "photos/{gender}/{id}.jpg"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from kerasft.base.errors import InputError, did_you_mean
from kerasft.data.values import as_text

_EXAMPLE = 'names of columns in braces, such as "photos/{id}.jpg"; {{ and }} stand for braces'

_PIECES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True)
class Template:
    """A text with places for the values of columns.

    Args:
        source: the template as it was written.
        parts: literal text and the column's name that follows it (None at the end), in order.

    Example:
        >>> template = Template.parse("{gender}/{id}.jpg", "--image")
        >>> template.fields, template.fill(pa.record_batch({"gender": ["Men", None], "id": [7, 8]})).to_pylist()
        (['gender', 'id'], ['Men/7.jpg', None])
    """

    source: str
    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, source: str, where: str) -> "Template":
        """Reads a template.

        Raises:
            InputError: if it names no column, or holds more than names in its braces.
        """
        parts: list[tuple[str, str | None]] = []
        literal = ""
        for piece in _PIECES.finditer(source):
            token, field = piece[0], piece[1]
            if field is not None:
                if not field.strip() or ":" in field or "!" in field:
                    raise InputError("a template takes bare names only", received=source, where=where, allowed=_EXAMPLE)
                parts.append((literal, field))
                literal = ""
            elif token in ("{", "}"):
                raise InputError("a template cannot be read", received=source, where=where, allowed=_EXAMPLE)
            else:
                literal += {"{{": "{", "}}": "}"}.get(token, token)
        if not parts:
            raise InputError("a template names no column", received=source, where=where, allowed=_EXAMPLE)
        return cls(source, (*parts, (literal, None)))

    @property
    def fields(self) -> list[str]:
        """The columns that it names, each once."""
        return list(dict.fromkeys(field for _, field in self.parts if field is not None))

    def check(self, columns: Sequence[str], where: str) -> None:
        """Refuses a name that is no column.

        Raises:
            InputError: naming the nearest column.
        """
        for field in self.fields:
            if field not in columns:
                raise InputError(
                    f"the template {self.source!r} names a column that is not there",
                    received=field,
                    where=where,
                    allowed=columns,
                    hint=did_you_mean(field, columns),
                )

    def fill(self, rows: pa.RecordBatch) -> pa.StringArray:
        """The names for some rows; null where one of the values is missing or empty.

        Raises:
            InputError: if a column holds lists, bytes or the like.
        """
        values = {field: self._texts(field, rows[field]) for field in self.fields}
        pieces: list[pa.Array | str] = []
        for literal, field in self.parts:
            pieces += [literal] if literal else []
            if field is not None:
                pieces.append(pc.if_else(pc.equal(values[field], ""), None, values[field]))
        return pc.binary_join_element_wise(*pieces, "").cast(pa.string())

    def _texts(self, field: str, values: pa.Array) -> pa.StringArray:
        try:
            return as_text(values)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise InputError(
                f"the template {self.source!r} names a column that holds neither text nor whole numbers",
                received=f"{field}: {values.type}",
            ) from None

"""The in-graph twin of `kerasft.inputs.Tabular`: columns to rows by core TensorFlow operations alone."""

import tensorflow as tf

from kerasft.inputs import Tabular
from kerasft.inputs.normalise import to_utf8
from kerasft.inputs.tabular import LIMIT, MISSING_ID, UNKNOWN_ID

_BLANK = r"[ \t\n\r\f]*"


class TabularGraph(tf.Module):
    """Turns columns into rows inside a graph, bit for bit as `Tabular.encode` does.

    A number that is infinite, which the input refuses, is cut to the limit here, as a graph cannot name the row.

    Args:
        tabular: the tabular input to follow.

    Example:
        >>> tabular = Tabular.learn([{"price": 1, "colour": "red"}, {"price": 3, "colour": "blue"}])
        >>> graph = TabularGraph(tabular)
        >>> rows, present = graph({"price": tf.constant([3.0, np.nan]), "colour": tf.constant(["red", ""])})
        >>> rows.numpy(), present.numpy()
        (array([[1., 0., 3.],
               [0., 0., 0.]], dtype=float32), array([1., 0.], dtype=float32))
    """

    def __init__(self, tabular: Tabular):
        super().__init__(name="tabular_graph")
        names = tabular.signature_names
        self._numbers = [
            (names[column], tabular.mean[place], tabular.scale[place])
            for place, column in enumerate(tabular.number_names)
        ]
        self._tables = [(names[column], _table(texts)) for column, texts in tabular.categories.items()]

    def raw_specs(self, name: str) -> dict[str, tf.TensorSpec]:
        """A tensor a column, by its name as `Tabular.signature_names` has it, whatever the input is called.

        float32 [batch] for numbers, string [batch] for categories.
        """
        numbers = {column: tf.TensorSpec([None], tf.float32, name=column) for column, _, _ in self._numbers}
        return numbers | {column: tf.TensorSpec([None], tf.string, name=column) for column, _ in self._tables}

    def __call__(self, raw: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Turns a batch of columns into rows.

        Args:
            raw: each column by its name; NaN and "" are missing values.

        Returns:
            float32 [batch, 2 x numbers + categories], zeros where nothing is there, and float32 [batch]: 1 where
            anything is.
        """
        standard, flags, ids = [], [], []
        for name, mean, scale in self._numbers:
            absent = tf.math.is_nan(raw[name])
            cut = tf.clip_by_value((raw[name] - mean) * scale, -LIMIT, LIMIT)
            standard.append(tf.where(absent, 0.0, cut))
            flags.append(absent)
        for name, table in self._tables:
            found = tf.zeros_like(raw[name], tf.int32) + UNKNOWN_ID if table is None else table.lookup(raw[name])
            blank = tf.strings.regex_full_match(raw[name], _BLANK)
            ids.append(tf.where(blank, MISSING_ID, found))
        there = [*(~flag for flag in flags), *(number != MISSING_ID for number in ids)]
        present = tf.reduce_any(tf.stack(there, axis=1), axis=1)  # [batch]
        columns = [*standard, *(tf.cast(column, tf.float32) for column in [*flags, *ids])]
        rows = tf.where(present[:, None], tf.stack(columns, axis=1), 0.0)
        return rows, tf.cast(present, tf.float32)


def _table(texts: list[str]) -> tf.lookup.StaticHashTable | None:
    """The ids of a column's texts; None where it has none."""
    if not texts:
        return None
    first = UNKNOWN_ID + 1
    keys = tf.constant([to_utf8(text) for text in texts])
    start = tf.lookup.KeyValueTensorInitializer(keys, tf.range(first, first + len(texts)))
    return tf.lookup.StaticHashTable(start, default_value=UNKNOWN_ID)

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasft.export.census import saved_model_census
from kerasft.export.tabular_graph import TabularGraph
from kerasft.inputs import Tabular, to_utf8
from kerasft.inputs.hostile_records import hostile_records


def made(rows=500):
    random = np.random.default_rng(0)
    numbers = np.concatenate([random.normal(1000, 3, (rows, 1)), np.exp(random.normal(0, 9, (rows, 2)))], axis=1)
    records = [
        {
            "a b": None if random.random() < 0.2 else float(np.float32(row[0])),
            "price": float(np.float32(row[1])),
            "tiny": float(np.float32(row[2] * 1e-30)),
            "colour": str(random.choice(["rot", "grün", "", " ", "b\0"])),
            "never": None,
        }
        for row in numbers
    ]
    return Tabular.learn(records[: rows // 2]), [*records, {}, None, {"colour": "new"}]


def test_every_row_is_as_the_input_gives_it():
    tabular, records = made()
    assert tabular.number_names == ["a b", "price", "tiny"]
    records += hostile_records(tabular)
    graph = TabularGraph(tabular)
    feed = feed_of(tabular, records)
    function = tf.function(graph.__call__, input_signature=[graph.raw_specs("tabular")])
    stack = tabular.encode(records)
    for call in (graph, function):
        rows, present = call(feed)
        np.testing.assert_array_equal(rows.numpy(), stack[:])
        np.testing.assert_array_equal(present.numpy(), stack.present.astype(np.float32))
    assert 0 < stack.present.mean() < 1


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_columns_of_one_kind(kind):
    tabular = Tabular.learn([{"x": 1}, {"x": 2}], **{kind: ["x"]})
    records = [{"x": 2}, {}, {"x": 7}]
    rows, present = TabularGraph(tabular)(feed_of(tabular, records))
    np.testing.assert_array_equal(rows.numpy(), tabular.encode(records)[:])
    assert present.numpy().tolist() == [1, 0, 1]


def test_no_rows():
    tabular, _ = made()
    rows, present = TabularGraph(tabular)(feed_of(tabular, []))
    assert rows.shape == (0, *tabular.shape)
    assert present.shape == (0,)


def feed_of(tabular, records):
    """Each column as a tensor, by the name in the signature."""
    names, records = tabular.signature_names, [record or {} for record in records]
    feed = {}
    for name in tabular.number_names:
        values = [record.get(name) for record in records]
        feed[names[name]] = tf.constant([np.nan if value is None else float(value) for value in values], tf.float32)
    for name in tabular.category_names:
        feed[names[name]] = tf.constant([to_utf8(str(record.get(name) or "")) for record in records], tf.string)
    return feed


class Served(tf.Module):
    def __init__(self, tabular):
        super().__init__()
        self.graph = TabularGraph(tabular)
        self.serve = tf.function(self.graph.__call__, input_signature=[self.graph.raw_specs("tabular")])


def test_a_saved_graph_works_with_tensorflow_alone(tmp_path):
    tabular, records = made()
    tf.saved_model.save(Served(tabular), str(tmp_path / "model"))
    assert "LookupTableFindV2" in saved_model_census(tmp_path / "model")
    feed = feed_of(tabular, records)
    np.savez(
        tmp_path / "feed.npz",
        **{f"n{place}": feed[tabular.signature_names[name]] for place, name in enumerate(tabular.number_names)},
    )
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        "n = np.load('feed.npz')\n"
        "texts = [text.encode() for text in ['rot', 'grün', '', 'b\\0', 'new']]\n"
        "raw = {name: tf.constant(n[f'n{place}'][:5]) for place, name in enumerate(['a_b', 'price', 'tiny'])}\n"
        "raw |= {'colour': tf.constant(texts), 'never': tf.constant(['', 'x', '', '', ''])}\n"
        "np.save('rows.npy', tf.saved_model.load('model').serve(raw)[0].numpy())\n"
        "print('kerasft' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
    texts, never = ["rot", "grün", "", "b\0", "new"], ["", "x", "", "", ""]
    rows = [{**row, "colour": c, "never": n} for row, c, n in zip(records[:5], texts, never, strict=True)]
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), tabular.encode(rows)[:])

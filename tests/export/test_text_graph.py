import random
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasft.export.text_graph import TextGraph
from kerasft.inputs import Text, to_utf8
from kerasft.inputs.hostile import HOSTILE_TEXTS, generated_texts

STRINGS = (*generated_texts(10_000), *HOSTILE_TEXTS)
BATCH = 512


def learn(tokenizer, **options):
    return Text.learn(STRINGS[::3], tokenizer=tokenizer, vocabulary=3000, **options)


def as_strings(texts):
    return tf.constant([text.encode("utf-8", "surrogatepass") for text in texts], tf.string)


@pytest.mark.parametrize(
    ("tokenizer", "options"),
    [
        ("word", {"max_tokens": 25}),
        ("wordpiece", {"max_tokens": 25, "truncate": "head+tail"}),
        ("wordpiece", {"max_tokens": 7, "truncate": "tail", "lowercase": False, "strip_accents": False}),
    ],
)
def test_every_token_is_as_the_text_input_gives_it(tokenizer, options):
    text = learn(tokenizer, **options)
    graph, rows = TextGraph(text), text.encode(STRINGS)
    wrong = []
    for start in range(0, len(STRINGS), BATCH):
        expected = rows[start : start + BATCH].pad()
        result = graph(as_strings(STRINGS[start : start + BATCH])).numpy()
        assert result.dtype == np.int32
        assert result.shape == expected.shape
        wrong += [STRINGS[start + row] for row in np.flatnonzero((result != expected).any(axis=1))]
    assert wrong == []


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_hostile_texts_alone_and_without_a_limit(tokenizer):
    text = learn(tokenizer, max_tokens=None)
    graph = TextGraph(text)
    for string in HOSTILE_TEXTS:
        expected = text.encode([string]).pad()
        for raw in (string.encode("utf-8", "surrogatepass"), to_utf8(string)):
            assert graph(tf.constant([raw])).numpy().tolist() == expected.tolist()


def test_bytes_that_are_no_utf8_vanish():
    text = learn("word")
    rng = random.Random(1)
    pieces = [b"the ", b"\xe2\x82", b"\xff", b"\xc3", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"a", b"<br>"]
    rows = [b"".join(rng.choices([*pieces, rng.randbytes(1)], k=rng.randint(0, 12))) for _ in range(2000)]
    expected = text.encode([row.decode("utf-8", "replace") for row in rows]).pad()
    assert TextGraph(text)(tf.constant(rows)).numpy().tolist() == expected.tolist()


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_no_strings_and_empty_strings(tokenizer):
    graph = TextGraph(learn(tokenizer))
    assert graph(tf.constant([], tf.string)).shape == (0, 1)
    assert graph(tf.constant(["", " "])).numpy().tolist() == [[1], [1]]


def test_other_ids_for_padding_and_unknown():
    text = Text.from_vocabulary(["[UNK]", "a", "##b", "[PAD]"], max_tokens=4)
    result = TextGraph(text)(tf.constant(["ab", "a zz ab", "abbbbb", ""])).numpy()
    assert result.tolist() == [[1, 2, 3, 3], [1, 0, 1, 2], [1, 2, 2, 2], [0, 3, 3, 3]]


def test_saved_graphs_work_in_a_process_with_tensorflow_alone(tmp_path):
    texts = {name: learn(name, max_tokens=25) for name in ("word", "wordpiece")}
    for name, text in texts.items():
        tf.saved_model.save(TextGraph(text), str(tmp_path / name))
    (tmp_path / "texts.bin").write_bytes(b"\xfe".join(map(to_utf8, HOSTILE_TEXTS)))
    code = (
        "import sys, numpy, tensorflow as tf\n"
        "texts = tf.constant(open('texts.bin', 'rb').read().split(b'\\xfe'))\n"
        "for name in ('word', 'wordpiece'):\n"
        "    numpy.save(name + '.npy', tf.saved_model.load(name)(texts).numpy())\n"
        "print({name.split('.')[0] for name in sys.modules} & {'kerasft', 'tokenizers', 'tensorflow_text'})\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
    for name, text in texts.items():
        assert np.load(tmp_path / f"{name}.npy").tolist() == text.encode(HOSTILE_TEXTS).pad().tolist()
        assert (tmp_path / name / "saved_model.pb").stat().st_size < 3_000_000

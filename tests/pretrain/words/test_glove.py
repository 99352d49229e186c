import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import cooccurrence_rows, glove_kernels
from kerasft.pretrain.words.cooccurrence import Cooccurrence
from kerasft.pretrain.words.glove import GloVe, GloVeOptions
from kerasft.pretrain.words.glove_blocks import Blocks


def two_topics(documents=300, seed=0):
    """Documents of 12 words, three in four from 2 to 21 and the others from 22 to 41, or the other way round."""
    random = np.random.default_rng(seed)
    topic = np.arange(documents)[:, None] % 2 ^ (random.random((documents, 12)) < 0.25)
    return Ragged.from_rows(list(random.integers(2, 22, topic.shape) + 20 * topic))


@pytest.fixture
def pairs(tmp_path):
    return Cooccurrence.of(two_topics(), 46, tmp_path / "pairs", window=5)


def learned(learning, first=0):
    return [learning.step(number) for number in range(first, learning.steps)]


def test_a_step_for_each_pair_is_that_of_the_paper():
    random = np.random.default_rng(0)
    n, width, rate, x_max, alpha = 6, 8, 0.05, 3.0, 0.75
    tables = [random.normal(size=shape).astype(np.float32) for shape in ((n, 2, width), (n, 2, width), (n, 2), (n, 2))]
    for table in tables:
        table[:, 1] = 1
    expected = [table.astype(np.float64) for table in tables]
    i, j = (random.integers(0, n, 40) for _ in range(2))
    counts = random.uniform(0.1, 8, 40).astype(np.float32)
    order, weights = np.empty(40, np.int32), np.empty(40, np.float32)
    glove_kernels.shuffle(order, np.uint64(5))
    assert sorted(order) == list(range(40))
    assert list(order) != list(range(40))

    logs = np.log(counts)
    glove_kernels.weigh(logs, weights, np.float32(alpha), np.float32(np.log(x_max)))
    places = (i.astype(np.uint32) << 16) | j.astype(np.uint32)
    loss = glove_kernels.learn_pairs(order, places, logs, weights, tuple(tables), np.float32(rate))

    w, c, a, b = expected
    total = 0.0
    for k in order:
        p, q, x = i[k], j[k], float(counts[k])
        difference = w[p, 0] @ c[q, 0] + a[p, 0] + b[q, 0] - np.log(x)
        f = min(1.0, (x / x_max) ** alpha)
        total += f * difference**2
        gradients = [f * difference * c[q, 0].copy(), f * difference * w[p, 0].copy(), f * difference, f * difference]
        for row, gradient in zip((w[p], c[q], a[p], b[q]), gradients, strict=True):
            row[0] -= rate * gradient / np.sqrt(row[1])
            row[1] += (rate * gradient) ** 2
    assert loss == pytest.approx(total, rel=1e-4)
    for table, wanted in zip(tables, expected, strict=True):
        assert table == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_an_epoch_takes_each_pair_once(pairs):
    blocks = Blocks.of(pairs)
    assert blocks.side == 16
    assert blocks.size == 3
    found = {}
    for i in range(16):
        for j in range(16):
            for at in range(blocks.edges[i * 16 + j], blocks.edges[i * 16 + j + 1]):
                row, column = int(blocks.places[at] >> 16) * 16 + i, int(blocks.places[at] & 0xFFFF) * 16 + j
                assert (row, column) not in found
                found[row, column] = np.exp(blocks.logs[at])
    expected = {(i, int(j)): x for i in range(46) for j, x in zip(*map(np.asarray, pairs.row(i)), strict=True)}
    assert found.keys() == expected.keys()
    assert all(found[place] == pytest.approx(expected[place], rel=1e-5) for place in expected)
    seen = np.concatenate([(np.arange(16) + turn) % 16 + 16 * np.arange(16) for turn in range(16)])
    assert sorted(seen) == list(range(256))


def test_an_epoch_of_one_block_is_a_plain_loop(tmp_path):
    corpus = Ragged.from_rows([[2, 3, 2]])
    counted = Cooccurrence.of(corpus, 4, tmp_path / "pairs", window=1)  # X[2, 3] = X[3, 2] = 2
    learning = GloVe(counted, GloVeOptions(dimension=3, epochs=1, x_max=4, seed=3))
    place = Blocks.of(counted).order(4)
    w, c, a, b = (table[place].astype(np.float64) for table in learning.state().values())
    mean = learning.step(0)
    f, total = (2 / 4) ** 0.75, 0.0
    for p, q in ((2, 3), (3, 2)):  # they share neither row nor column, so their order is all one
        difference = w[p, 0] @ c[q, 0] + a[p, 0] + b[q, 0] - np.log(2)
        total += f * difference**2
        slope = 0.05 * f * difference
        w[p, 0], c[q, 0] = w[p, 0] - slope * c[q, 0], c[q, 0] - slope * w[p, 0]
    assert mean == pytest.approx(total / 2, rel=1e-5)
    assert learning.matrix() == pytest.approx((w + c)[:, 0, :3], rel=1e-5, abs=1e-7)
    assert not learning.matrix()[:2].any()


def test_words_of_a_topic_come_together(tmp_path):
    counted = Cooccurrence.of(two_topics(5_000), 46, tmp_path / "pairs", window=5)
    learning = GloVe(counted, GloVeOptions(dimension=4, epochs=150, seed=1))
    losses = learned(learning)
    assert losses[-1] < 0.05 * losses[0]
    vectors = learning.matrix()[2:42]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines, topic = unit @ unit.T, np.repeat([0, 1], 20)
    same = topic[:, None] == topic
    assert cosines[same].min() > cosines[~same].max()
    assert cosines[same].mean() > cosines[~same].mean() + 0.5


def test_the_result_does_not_depend_on_threads_and_is_another_with_another_seed(pairs, monkeypatch):
    found = []
    for threads, seed in ((1, 0), (3, 0), (2, 1)):
        monkeypatch.setattr(cooccurrence_rows, "cores", lambda threads=threads: threads)
        learning = GloVe(pairs, GloVeOptions(dimension=5, epochs=3, seed=seed))
        found.append((learned(learning), learning.matrix()))
    assert found[0][0] == found[1][0]
    assert (found[0][1] == found[1][1]).all()
    assert not (found[0][1] == found[2][1])[2:42].any()


def test_a_step_is_a_function_of_state_and_number(pairs):
    options = GloVeOptions(dimension=5, epochs=4)
    whole, part = GloVe(pairs, options), GloVe(pairs, options)
    learned(whole)
    for number in range(2):
        part.step(number)
    resumed = GloVe(pairs, options)
    for name, array in resumed.state().items():
        array[...] = part.state()[name]
    learned(resumed, first=2)
    assert (resumed.matrix() == whole.matrix()).all()


def test_an_epoch_may_be_several_steps(pairs, monkeypatch):
    monkeypatch.setattr("kerasft.pretrain.words.glove._STEP", 300)
    learning = GloVe(pairs, GloVeOptions(dimension=5, epochs=2))
    assert learning.steps == 2 * -(-len(pairs) // 300)
    parted = learned(learning)
    monkeypatch.undo()
    whole = GloVe(pairs, GloVeOptions(dimension=5, epochs=2))
    learned(whole)
    assert (learning.matrix() == whole.matrix()).all()
    assert np.isfinite(parted).all()


def test_more_steps_than_turns_are_not_made(pairs, monkeypatch):
    monkeypatch.setattr("kerasft.pretrain.words.glove._STEP", 1)
    assert GloVe(pairs, GloVeOptions(epochs=3)).steps == 3 * 16


def test_learning_goes_on_from_what_was_learned(pairs):
    options = GloVeOptions(dimension=6, epochs=20)
    first = GloVe(pairs, options)
    losses = learned(first)
    again = GloVe(pairs, options, start=first.parts())
    assert (again.matrix() == first.matrix()).all()
    assert learned(again)[0] < 1.1 * losses[-1]


def test_learning_goes_on_from_vectors_alone_and_of_fewer_words(pairs):
    options = GloVeOptions(dimension=6, epochs=2)
    first = GloVe(pairs, options)
    learned(first)
    old = first.matrix()[:40].copy()
    old[30] = np.nan
    begun = GloVe(pairs, options, start={"vectors": old}).matrix()
    known = np.delete(np.arange(40), 30)
    assert begun[known] == pytest.approx(old[known])
    assert np.abs(begun[[30, 40, 41]]).max() <= 1 / 6
    assert begun[[30, 40, 41]].all()
    message = "do not fit. Received: '40 of dimension 6'. Allowed: 46 of dimension 7, or fewer."
    with pytest.raises(InputError, match=message):
        GloVe(pairs, GloVeOptions(dimension=7), start={"vectors": old})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimension": 0}, "dimension is out of bounds. Received: 0. Where: --dimension. Allowed: 1 to 4,096."),
        ({"epochs": 0}, "epochs is out of bounds. Received: 0. Where: --epochs. Allowed: 1 to 10,000."),
        ({"x_max": 0}, "x_max is out of bounds. Received: 0. Where: --x-max. Allowed: above 0, at most 1e+30."),
        (
            {"learning_rate": float("nan")},
            "learning_rate is out of bounds. Received: nan. Where: --learning-rate. Allowed: above 0, at most 1.",
        ),
    ],
)
def test_mistakes_are_told(options, message):
    with pytest.raises(InputError) as told:
        GloVeOptions(**options)
    assert str(told.value) == message

import numpy as np
import pytest

from kerasft.base.errors import InputError
from kerasft.inputs.ragged import Ragged
from kerasft.pretrain.words import kernels
from kerasft.pretrain.words import word2vec as module
from kerasft.pretrain.words.subwords import Subwords
from kerasft.pretrain.words.word2vec import Word2Vec, Word2VecOptions

WORDS = ["[PAD]", "[UNK]", *(f"{topic}{letter}" for topic in ("sea", "sky") for letter in "abcdefgh")]


def two_topics(documents=400, length=30):
    """Documents of words 2 to 9 alone or of 10 to 17 alone, with some that are not in the vocabulary."""
    random = np.random.default_rng(0)
    first = np.where(random.random(documents) < 0.5, 2, 10)
    values = random.integers(0, 8, (documents, length)) + first[:, None]
    values[random.random(values.shape) < 0.05] = 1
    return Ragged(values.astype(np.int32).ravel(), np.arange(0, documents * length + 1, length))


CORPUS = two_topics()
COUNTS = np.bincount(CORPUS.values, minlength=len(WORDS))


def learned(threads=None, subwords=None, **options):
    options = {"dimension": 12, "epochs": 3, "window": 3, "subsample": 0.0, "learning_rate": 0.05, **options}
    learning = Word2Vec(CORPUS, COUNTS, Word2VecOptions(**options), subwords, threads=threads)
    return learning, [learning.step(number) for number in range(learning.steps)]


def nearness(matrix):
    unit = matrix[2:] / np.linalg.norm(matrix[2:], axis=1, keepdims=True)
    near = unit @ unit.T
    return near[:8, :8].mean(), near[:8, 8:].mean()


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_words_of_one_topic_come_to_lie_together(mode, kind):
    subwords = Subwords.of(WORDS, 3, 4, plain=2) if kind == "subwords" else None
    learning, losses = learned(mode=mode, subwords=subwords)
    same, other = nearness(learning.matrix())
    assert losses[-1] < losses[0]
    assert same > 0.8
    assert other < 0.5


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_the_vectors_do_not_depend_on_threads(mode, monkeypatch):
    monkeypatch.setattr(module, "STRETCH", 5_000)
    subwords = Subwords.of(WORDS, 3, 4, plain=2)
    one, losses = learned(1, subwords, mode=mode, epochs=1)
    assert one.steps == 3
    for threads in (2, 3):
        several, again = learned(threads, subwords, mode=mode, epochs=1)
        assert again == losses
        for name, array in one.state().items():
            assert (array == several.state()[name]).all()


def test_steps_can_be_done_again_from_their_state(monkeypatch):
    monkeypatch.setattr(module, "STRETCH", 5_000)
    whole, _ = learned(epochs=2)
    part = Word2Vec(CORPUS, COUNTS, whole.options)
    for number in range(3):
        part.step(number)
    kept = {name: array.copy() for name, array in part.state().items()}
    part = Word2Vec(CORPUS, COUNTS, whole.options)
    for name, array in part.state().items():
        array[...] = kept[name]
    for number in range(3, part.steps):
        part.step(number)
    assert (part.matrix() == whole.matrix()).all()


def block(rng, size=6, around=10, shared=8, width=16, window=2):
    def rows(n):
        return rng.normal(0, 0.5, (n, width)).astype(np.float32)

    left, right = rng.integers(0, window + 1, (2, size)).astype(np.int8)
    return rows(size), rows(around), rows(shared), left, right


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_skipgram_is_the_gradient_of_its_objective():
    hidden, others, negatives, left, right = block(np.random.default_rng(0))
    back, rate, count = 2, 0.1, 5
    wanted = [np.zeros(array.shape) for array in (hidden, others, negatives)]
    loss = pairs = 0
    for i in range(len(hidden)):
        for j in [back + i + o for o in range(-left[i], right[i] + 1) if o]:
            pull = rate * (1 - sigmoid(hidden[i] @ others[j]))
            wanted[0][i] += pull * others[j]
            wanted[1][j] += pull * hidden[i]
            loss, pairs = loss - np.log(sigmoid(hidden[i] @ others[j])), pairs + 1
            for k in range(len(negatives)):
                push = rate * count / len(negatives) * sigmoid(hidden[i] @ negatives[k])
                wanted[0][i] -= push * negatives[k]
                wanted[2][k] -= push * hidden[i]
                loss -= count / len(negatives) * np.log(sigmoid(-hidden[i] @ negatives[k]))
    found = [np.full(array.shape, 9, np.float32) for array in (hidden, others, negatives)]
    near, far, told = np.zeros((6, 5), np.float32), np.zeros((6, 8), np.float32), np.zeros(2)
    given = (hidden, others, negatives, left, right, back, np.float32(rate), np.float32(count))
    kernels.skipgram(*given, near, far, *found, told)
    for ours, right_one in zip(found, wanted, strict=True):
        assert ours == pytest.approx(right_one, abs=2e-6)
    assert told == pytest.approx([loss, pairs], rel=1e-5)


def test_cbow_is_the_gradient_of_its_objective():
    targets, inputs, negatives, left, right = block(np.random.default_rng(1))
    left[2] = right[2] = 0  # a word without neighbours
    back, rate, count = 2, 0.1, 5
    wanted = [np.zeros(array.shape) for array in (inputs, targets, negatives)]
    loss = pairs = 0
    for i in range(len(targets)):
        around = [back + i + o for o in range(-left[i], right[i] + 1) if o]
        if not around:
            continue
        mean, change = inputs[around].mean(axis=0), 0
        pull = rate * (1 - sigmoid(mean @ targets[i]))
        change = pull * targets[i]
        wanted[1][i] += pull * mean
        loss, pairs = loss - np.log(sigmoid(mean @ targets[i])), pairs + 1
        for k in range(len(negatives)):
            push = rate * count / len(negatives) * sigmoid(mean @ negatives[k])
            change = change - push * negatives[k]
            wanted[2][k] -= push * mean
            loss -= count / len(negatives) * np.log(sigmoid(-mean @ negatives[k]))
        for j in around:
            wanted[0][j] += change
    found = [np.full(array.shape, 9, np.float32) for array in (inputs, targets, negatives)]
    near, far, told = np.zeros((6, 1), np.float32), np.zeros((6, 8), np.float32), np.zeros(2)
    hidden, given = np.zeros_like(targets), (inputs, targets.copy(), negatives, left, right, back)
    kernels.cbow(hidden, *given, np.float32(rate), np.float32(count), near, far, *found, told)
    for ours, right_one in zip(found, wanted, strict=True):
        assert ours == pytest.approx(right_one, abs=2e-6)
    assert told == pytest.approx([loss, pairs], rel=1e-5)


def test_a_start_is_kept_and_what_it_does_not_know_is_new():
    start = np.full((len(WORDS), 12), np.nan, np.float32)
    start[:10] = 0.25
    options = Word2VecOptions(dimension=12)
    matrix = Word2Vec(CORPUS, COUNTS, options, start={"inputs": start}).matrix()
    assert (matrix[:10] == 0.25).all()
    assert 0 < np.abs(matrix[10:]).max() < 0.05


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"window": 0}, "window is out of bounds. Received: 0. Where: --window. Allowed: 1 to 100."),
        ({"dimension": 0}, "dimension is out of bounds. Received: 0. Where: --dimension. Allowed: 1 to 4,096."),
        ({"subsample": 2.0}, "subsample is out of bounds. Received: 2.0. Where: --subsample. Allowed: 0 to 1."),
        ({"learning_rate": 0.0}, "the learning rate must be above 0 and at most 1. Received: 0.0."),
    ],
)
def test_options_out_of_bounds_are_told(option, message):
    with pytest.raises(InputError) as told:
        Word2VecOptions(**option)
    assert str(told.value).startswith(message)


def test_a_corpus_without_words_is_refused():
    with pytest.raises(InputError, match="there is no word to learn a vector of"):
        Word2Vec(Ragged(np.ones(5, np.int32), np.array([0, 5])), np.array([0, 5, 0]), Word2VecOptions())

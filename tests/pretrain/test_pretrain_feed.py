import time

import numpy as np
import pytest
from pretrain_toys import make_corpus, make_texts

from kerasft.pretrain.feed import PretrainFeed, PretrainPlan
from kerasft.pretrain.instances import Special, make_instances
from kerasft.pretrain.masking import Masking


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(make_texts(40), tmp_path_factory.mktemp("corpus"))


def make_feed(corpus, pairs=True, in_order=False, steps=7, batch=4, length=16, seed=3):
    corpus, text = corpus
    instances = make_instances(corpus, np.arange(len(corpus)), length, Special(), pairs=pairs, seed=seed)
    masking = Masking(text.vocabulary, length, 0.15)
    plan = PretrainPlan(instances, batch, None if in_order else steps, seed)
    return PretrainFeed(plan, masking, next_sentence=pairs, in_order=in_order)


def same(one, other):
    return all(np.array_equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a)


@pytest.mark.parametrize("pairs", [True, False])
def test_a_batch_depends_on_seed_and_step_alone(corpus, pairs):
    whole = make_feed(corpus, pairs)
    batches = []
    for epoch in range(9):  # over several passes
        whole.start(epoch)
        batches += [whole[index] for index in range(whole.num_batches)]
    assert whole.plan.per_pass * 2 < len(batches) * 4
    resumed = make_feed(corpus, pairs)
    for epoch, step in ((5, 3), (0, 6), (8, 0)):
        resumed.start(epoch, step)
        assert resumed.num_batches == 7 - step
        assert same(resumed[0], batches[epoch * 7 + step])
    assert not same(batches[0], batches[1])
    shapes = {tuple(array.shape for part in batch for array in part.values()) for batch in batches}
    assert len(shapes) == 1
    slots = whole.masking.slots
    inputs, targets = batches[0]
    assert inputs["tokens"].shape == inputs["segments"].shape == (4, 16)
    assert inputs["masked_positions"].shape == targets["token"].shape == (4, slots)
    assert ("next" in targets) == pairs


def test_every_sequence_of_a_pass_stands_in_one_batch(corpus):
    feed = make_feed(corpus, pairs=False, steps=1)
    count, seen = feed.plan.per_pass, []
    for epoch in range(-(-count // 4)):
        feed.start(epoch)
        numbers = feed.batches[0][0]
        seen += feed._pass(0)[numbers[numbers < count]].tolist()
    assert sorted(seen) == list(range(count))


def test_held_out_batches_stay_the_same_and_the_last_may_be_smaller(corpus):
    feed = make_feed(corpus, in_order=True)
    first = [feed[index] for index in range(len(feed.plan))]
    feed.start(3)
    assert all(same(a, feed[index]) for index, a in enumerate(first))
    rows = sum(len(inputs["tokens"]) for inputs, _ in first)
    assert rows == feed.plan.per_pass == len(feed.plan.lengths)
    assert len(first[-1][0]["tokens"]) == (rows - 1) % 4 + 1


def test_measuring_is_bounded(corpus, monkeypatch):
    monkeypatch.setattr("kerasft.pretrain.feed._MEASURED", 10)
    feed = make_feed(corpus, in_order=True)
    assert [len(rows) for rows, _ in feed.plan.in_order()] == [4, 4, 2]
    assert len(feed.plan) == 3


def test_batches_come_from_a_thread_as_tensors(corpus):
    feed = make_feed(corpus)
    feed.start(1, 5)
    inputs, targets = feed.next()
    expected, _ = make_feed(corpus), feed.stop()
    expected.start(1, 5)
    assert same((({k: v.numpy() for k, v in inputs.items()}), {k: v.numpy() for k, v in targets.items()}), expected[0])
    spec, _ = feed.signature()
    assert spec["tokens"].shape.as_list() == [4, 16]
    assert make_feed(corpus, in_order=True).signature()[0]["tokens"].shape.as_list() == [None, 16]


@pytest.mark.parametrize("pairs", [True, False])
def test_thousands_of_sequences_a_second(corpus, pairs):
    feed = make_feed(corpus, pairs, steps=40, batch=32, length=128)
    _ = feed[0]
    spent = []
    for index in range(20):
        began = time.process_time()
        _ = feed[index]
        spent.append(time.process_time() - began)
    assert 32 / np.median(spent) > 2000  # here 12,000 and more

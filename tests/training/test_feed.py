import threading
import time

import numpy as np
import pytest

from kerasft.inputs.batching import BatchPlan
from kerasft.inputs.ragged import Ragged
from kerasft.training.feed import Feed, Stream


def make_feed(weights=None, **options):
    arrays = {"text": Ragged.from_rows([[number] * (1 + number % 5) for number in range(1, 22)])}
    targets = np.arange(1, 22, dtype="int32")
    weights = None if weights is None else {"label": weights}
    return Feed(arrays, {"label": targets}, BatchPlan(arrays["text"].lengths, 4, seed=3), weights, **options)


def numbers(feed, count):
    return [np.asarray(feed.next()[1]["label"]).tolist() for _ in range(count)]


def test_a_batch_holds_the_rows_of_its_targets():
    feed = make_feed()
    for index in range(feed.num_batches):
        inputs, targets = feed[index]
        assert inputs["text"][:, 0].tolist() == targets["label"].tolist()


def test_starting_in_the_middle_gives_the_same_batches():
    feed = make_feed()
    feed.start(epoch=2)
    whole = numbers(feed, feed.num_batches)
    feed.start(epoch=2, step=4)
    assert feed.num_batches == len(whole) - 4
    assert numbers(feed, feed.num_batches) == whole[4:]
    feed.start(epoch=3)
    assert numbers(feed, feed.num_batches) != whole
    feed.stop()


def test_every_row_comes_once_an_epoch():
    feed = make_feed(in_order=True)
    assert sorted(np.concatenate(numbers(feed, feed.num_batches))) == list(range(1, 22))
    feed.stop()


def test_weights_follow_their_rows():
    feed = make_feed(weights=np.arange(1, 22, dtype="float32") / 10)
    _, targets, weights = feed[0]
    np.testing.assert_allclose(weights["label"] * 10, targets["label"], rtol=1e-6)


def test_the_signature_frees_rows_and_width():
    inputs, targets = make_feed().signature()
    assert inputs["text"].shape.as_list() == [None, None]
    assert targets["label"].shape.as_list() == [None]
    assert targets["label"].dtype == "int32"


def test_the_wait_for_data_is_measured():
    feed = make_feed()
    feed.next()
    assert feed.waited > 0
    feed.stop()


def test_an_error_in_the_thread_comes_out():
    def broken():
        yield 1
        raise RuntimeError("row 7")

    stream = Stream(broken())
    assert next(stream) == 1
    for _ in range(2):
        with pytest.raises(RuntimeError, match="row 7"):
            next(stream)
    stream.close()


def test_the_thread_ends_when_the_feed_is_stopped():
    feed = make_feed()
    feed.next()
    feed.stop()
    time.sleep(0.01)
    assert "kerasft-feed" not in {thread.name for thread in threading.enumerate()}


def test_a_stream_ends_and_stays_ended():
    stream = Stream(iter([1]))
    assert list(stream) == [1]
    assert list(stream) == []

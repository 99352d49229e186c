import numpy as np
import pytest
from encoder_toys import tokens, toy_backbone

from kerasft.base.errors import InputError
from kerasft.models import Windows, transformer_classifier
from kerasft.models.windows import CutWindows

pytest.importorskip("keras_hub")
LENGTHS = [1, 4, 5, 7, 8, 13, 10]


@pytest.fixture(scope="module")
def backbone():
    return toy_backbone(layers=1, max_length=6, dropout=0.0)


def logits(model, ids):
    return np.asarray(model({"text": ids}, training=False)["label"])


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_each_row_is_cut_by_its_own_length(stride):
    windows, ids = Windows(6, stride), tokens(LENGTHS)
    cut, real = (np.asarray(part) for part in CutWindows(4, stride)(ids))
    cut = cut.reshape(len(ids), -1, 4)
    assert real.sum(1).tolist() == [windows.count(length) for length in LENGTHS]
    for row, length, parts, some in zip(ids, LENGTHS, cut, real, strict=True):
        for number, part in enumerate(parts):
            start = number * stride
            wanted = row[start : start + 4] if some[number] else np.zeros(4)
            np.testing.assert_array_equal(part, np.pad(wanted, (0, 4 - len(wanted))))
        read = {place for number in np.flatnonzero(some) for place in range(number * stride, number * stride + 4)}
        assert set(range(length)) <= read


def test_windows_are_no_longer_than_the_batch():
    cut, real = CutWindows(100, 50)(tokens([3, 2]))
    assert cut.shape == (2, 3)
    assert np.asarray(real).tolist() == [[True], [True]]


@pytest.mark.parametrize(("pooling", "head"), [("mean", "cls"), ("max", "mean"), ("attention", "max")])
def test_a_batch_does_not_change_an_answer(backbone, pooling, head):
    model = transformer_classifier(backbone, 3, head=head, windows=Windows(6, 3, pooling))
    ids = tokens(LENGTHS)
    together = logits(model, ids)
    if head == "cls":  # in a graph, where lengths are not known
        np.testing.assert_allclose(model.predict({"text": ids}, verbose=0)["label"], together, atol=1e-6)
    alone = [logits(model, ids[[row], :length])[0] for row, length in enumerate(LENGTHS)]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    padded = logits(model, np.pad(ids, ((0, 0), (0, 9))))
    np.testing.assert_allclose(padded, together, atol=1e-6)


def test_the_mean_is_that_of_the_windows_read_one_by_one(backbone):
    windows, ids = Windows(6, 3, "mean"), tokens([10])
    model = transformer_classifier(backbone, 2, windows=windows)
    plain = transformer_classifier(backbone, 2)
    plain.set_weights(model.get_weights())
    wanted = np.mean([logits(plain, ids[:, start : start + 4]) for start in (0, 3, 6)], axis=0)
    np.testing.assert_allclose(logits(model, ids), wanted, atol=1e-6)


@pytest.mark.parametrize(("pooling", "head"), [("mean", "max"), ("max", "cls"), ("attention", "mean")])
def test_a_text_of_one_window_is_read_as_without_windows(backbone, pooling, head):
    model = transformer_classifier(backbone, 2, head=head, windows=Windows(6, 2, pooling))
    plain = transformer_classifier(backbone, 2, head=head)
    named = {layer.name: layer.get_weights() for layer in model.layers}
    for layer in plain.layers:
        layer.set_weights(named[layer.name])
    ids = tokens([4, 2, 3])
    np.testing.assert_allclose(logits(model, ids), logits(plain, ids), atol=1e-6)


def test_training_on_windows_of_padding_gives_no_nan(backbone):
    model = transformer_classifier(backbone, 2, windows=Windows(6, 1, "attention"))
    model.compile("adam", "mse", run_eagerly=True)
    for _ in range(2):
        model.train_on_batch({"text": tokens([1, 13])}, {"label": np.ones((2, 2))})
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Windows(2), "a window must have room for [CLS], a token and [SEP]. Received: 2."),
        (lambda: Windows(10, 9), "Received: 9. Allowed: 1 to 8 for windows of 10. With a longer stride words between"),
        (lambda: Windows(10, 0), "Received: 0. Allowed: 1 to 8 for windows of 10."),
        (lambda: Windows(10, 5, "sum"), "pooling is not known. Received: 'sum'. Allowed: mean, max, attention."),
    ],
)
def test_mistakes_are_told(build, text):
    with pytest.raises(InputError) as told:
        build()
    assert text in str(told.value)


def test_windows_longer_than_the_positions_are_refused(backbone):
    with pytest.raises(InputError) as told:
        transformer_classifier(backbone, 2, windows=Windows(7))
    assert "the sequences are longer than the backbone's positions. Received: 7. Where: windows. Allowed: 3 to 6." in (
        str(told.value)
    )

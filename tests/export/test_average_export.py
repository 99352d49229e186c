"""The mean of token vectors in a bundle: a thousand equal tokens are the worst that happens to a sum."""

import numpy as np

from kerasft import models, tasks
from kerasft.export import export
from kerasft.inputs import Text
from kerasft.learner import Learner


def test_long_texts_of_one_word_pass_the_gate(tmp_path):
    texts = ["one word and another", "word for word", "nothing else"] * 9
    text = Text.learn(texts, vocabulary=100, max_tokens=1000)
    random = np.random.default_rng(0)
    vectors = random.normal(size=(text.vocabulary_size, 16))
    model = models.average_embedding_classifier(text.vocabulary_size, 2, embedding=16, vectors=vectors)
    kernel = random.normal(size=(16, 2)) * 20
    word = text.encode(["word"]).values[0]
    model.get_layer("logits").set_weights([kernel, -vectors[word] @ kernel])  # an answer that hangs in the balance
    learner = Learner({"text": text}, model, tasks.Classification(("negative", "positive")))
    published = export(learner, tmp_path / "average", verify_on={"text": texts})
    assert published.parity["worst_difference"] < 5e-6

import numpy as np
import pytest
from pretrain_toys import make_corpus, make_text, make_texts

from kerasft.base.errors import InputError
from kerasft.inputs import Text
from kerasft.pretrain.corpus import Corpus


def test_documents_and_sentences_are_found_again(tmp_path):
    texts = ["The cat sees. The dog hears!", "...", "A bird<br />likes red"]
    corpus, text = make_corpus(texts, tmp_path)
    words = [text.vocabulary[index] for index in corpus.ids]
    parts = [words[a:b] for a, b in zip(corpus.sentences[:-1], corpus.sentences[1:], strict=True)]
    joined = ["".join(part).replace("##", "") for part in parts]
    assert joined == ["thecatsees.", "thedoghears!", "abird", "likesred"]
    assert corpus.documents.tolist() == [0, 2, 4]
    assert len(corpus) == 2
    assert (corpus.document_starts + corpus.document_lengths).tolist()[-1] == len(corpus.ids)
    assert corpus.ids.dtype == np.int32


def test_a_corpus_is_encoded_once(tmp_path, monkeypatch):
    texts = make_texts(5)
    first, text = make_corpus(texts, tmp_path)
    monkeypatch.setattr(Text, "encode", None)
    again = Corpus.of(texts, text, tmp_path)
    np.testing.assert_array_equal(first.ids, again.ids)
    assert isinstance(again.ids, np.memmap)


def test_texts_without_a_word_are_refused(tmp_path):
    text = make_text(["a cat"])
    with pytest.raises(InputError) as error:
        Corpus.of(["...", " "], text, tmp_path)
    assert str(error.value) == ("no text has a word to learn from. Received: '2 texts'. Check the text column.")
    assert not any(tmp_path.iterdir())

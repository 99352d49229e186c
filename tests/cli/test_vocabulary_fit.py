from types import SimpleNamespace

from kerasft.cli.vocabulary_fit import unknown_share, warn_of_unknown
from kerasft.inputs import Text

ENGLISH = ["a film about two cats and a dog", "the dog sees a cat"]
CHINESE = ["这部电影很好看", "酒店不错 good"]


def make(texts):
    return SimpleNamespace(train={"text": texts}, checks={"warnings": ["earlier"]})


def english():
    return Text.learn(ENGLISH, tokenizer="wordpiece", vocabulary=80, max_tokens=None)


def test_the_share_counts_tokens_and_skips_rows_without_text():
    assert unknown_share(ENGLISH, english()) == 0
    assert unknown_share([None, "", "的 cat"], english()) == 0.5
    assert unknown_share([None, ""], english()) == 0


def test_texts_of_another_script_are_told_once_and_for_the_card():
    rows = make(CHINESE)
    facts = warn_of_unknown(rows, english(), "exported/bert_imdb")
    assert list(facts) == ["unknown_to_its_vocabulary"]
    assert facts["unknown_to_its_vocabulary"].endswith("% of the train texts' tokens")
    assert rows.checks["warnings"][0] == "earlier"
    told = rows.checks["warnings"][1]
    assert "of the tokens of the train texts are not in the vocabulary of exported/bert_imdb" in told
    assert "python -m apps.pretrain_bert" in told


def test_nothing_is_said_where_the_vocabulary_fits_or_is_new():
    for texts, backbone in ((ENGLISH, "exported/bert_imdb"), (CHINESE, None)):
        rows = make(texts)
        assert warn_of_unknown(rows, english(), backbone) == {}
        assert rows.checks["warnings"] == ["earlier"]

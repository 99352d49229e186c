import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.pretrain.sentences import LONGEST_SENTENCE, sentences


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ('"Why?" she asked... Nobody knew!', ['"Why?"', "she asked...", "Nobody knew!"]),
        ("He said no (and left.) So did I.", ["He said no (and left.)", "So did I."]),
        ("It took 3.5 hours at www.site.org today", ["It took 3.5 hours at www.site.org today"]),
        ("One line<br /><br />next line\nlast line", ["One line", "next line", "last line"]),
        ("房间很好。服务呢？太差了！！下次不来", ["房间很好。", "服务呢？", "太差了！！", "下次不来"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        ("...!!! --- <br/>", []),
        ("", []),
    ],
)
def test_sentences_end_at_stops_and_line_breaks(text, found):
    assert sentences(text) == found


def test_a_text_without_stops_is_cut():
    assert [len(found) for found in sentences("x" * (2 * LONGEST_SENTENCE + 5))] == [LONGEST_SENTENCE] * 2 + [5]


@given(st.text(alphabet=st.sampled_from('ab .!?。！"”)\n<br/>'), max_size=80))
def test_nothing_but_white_space_breaks_and_marks_is_lost(text):
    def letters(value):
        return value.replace("<br/>", "").replace("<br />", "").replace("<br>", "")

    kept = "".join(sentences(text))
    assert [x for x in kept if x in "ab"] == [x for x in letters(text) if x in "ab"]

"""Texts parted into sentences, by rules that ask nothing of the language but its full stops."""

import re

LONGEST_SENTENCE = 2_000
"""Characters; what runs on longer, a table or a text without punctuation, is cut there."""

# A line break, as a character or as HTML, ends a sentence; so do . ! ? with the quotes and brackets that follow them,
# where white space comes next, and the full stops of Chinese and Japanese, where anything does.
_BREAKS = re.compile(r"<br\s*/?>|[\r\n\u2028\u2029]+", re.IGNORECASE)
_ENDS = re.compile(
    r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*(\s+)"
    r"|(?<=[\u3002\uff01\uff1f])[\u201d\u2019\"\u300d\u300f\uff09]*()(?![\u3002\uff01\uff1f\u201d\u2019\"\u300d\u300f\uff09])"
)
_WORD = re.compile(r"\w")


def sentences(text: str) -> list[str]:
    """The sentences of a text, without surrounding white space and without those that hold no letter or digit.

    Dots inside words and numbers ("3.5", "e.g.this") end nothing; abbreviations ("Mr. Fox") do, which costs
    pretraining nothing but a shorter sentence.

    Args:
        text: any text; HTML line breaks end sentences.

    Example:
        >>> sentences('It rained. "Why?" she asked...<br />Then 3.5 hours went by')
        ['It rained.', '"Why?"', 'she asked...', 'Then 3.5 hours went by']
        >>> sentences("很好。真的吗？好！！")
        ['很好。', '真的吗？', '好！！']
    """
    found: list[str] = []
    for line in _BREAKS.split(text):
        start = 0
        for end in _ENDS.finditer(line):
            stop = end.end()
            found.append(line[start:stop])
            start = stop
        found.append(line[start:])
    short = []
    for sentence in map(str.strip, found):
        if len(sentence) <= LONGEST_SENTENCE:
            short.append(sentence)
        else:
            short += [sentence[a : a + LONGEST_SENTENCE] for a in range(0, len(sentence), LONGEST_SENTENCE)]
    return [sentence for sentence in short if _WORD.search(sentence)]

import difflib

from hypothesis import given, settings
from hypothesis import strategies as st

from kerasft.pretrain.words.spelling import nearest_spellings

words = st.text("abä词", max_size=7)


def edits(left: str, right: str) -> int:
    """Optimal string alignment, by its definition."""
    table = {(i, 0): i for i in range(len(left) + 1)} | {(0, j): j for j in range(len(right) + 1)}
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            least = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (left[i - 1] != right[j - 1])]
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 1] + right[j - 2]:
                least.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(least)
    return table[len(left), len(right)]


@settings(deadline=None)  # the first call compiles
@given(words, st.lists(words, max_size=8))
def test_the_nearest_are_those_of_the_definition(word, others):
    allowed = max(1, len(word) // 3)
    near = sorted((edits(word, other), at) for at, other in enumerate(others) if edits(word, other) <= allowed)
    assert nearest_spellings(word, others, 5) == [others[at] for _, at in near[:5]]


def test_what_people_type():
    known = ["the", "awful", "awesome", "Terrible", "terribly", "film"]
    assert nearest_spellings("awfull", known) == ["awful"]
    assert nearest_spellings("terrilbe", known) == ["Terrible", "terribly"]
    assert nearest_spellings("xylophone", known) == []
    assert nearest_spellings("", known) == []
    assert nearest_spellings("film", []) == []
    assert difflib.get_close_matches("x" * 500, nearest_spellings("x" * 500, ["x" * 400])) != []

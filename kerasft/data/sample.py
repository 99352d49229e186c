"""The sample: short film reviews that a seeded grammar makes up, so that a first run needs no network.

The label follows from the order of words alone: negation, contrast ("dull at first, but wonderful in the
end"), what others say against what the reviewer says, and praise that the mark takes back ("What a
masterpiece. 1/10"). A bag of words or bigrams sees both sides of most reviews and cannot tell which one
counts; a model that reads in order can. No label is noise. Figures on the sample say that a model reads
order, and nothing about real reviews.
"""

import random
import re
from functools import cache
from pathlib import Path

SIZES = {"train": 2800, "validation": 400, "test": 800}
LABELS = ("negative", "positive")

GRAMMAR = Path(__file__).with_name("sample_grammar.txt")
PROGRAM = Path(__file__)
_REFERENCE = re.compile(r"\{(!?)([a-z_]+)\}")


def generate(seed: int = 0) -> dict[str, list[tuple[str, str]]]:
    """Makes the sample.

    Args:
        seed: the same seed gives the same rows, on every machine. Default 0.

    Returns:
        (text, label) pairs by split: 2,800 train, 400 validation, 800 test; half of each is positive and no
        text occurs twice.

    Example:
        >>> rows = generate()
        >>> len(rows["test"]), rows == generate(seed=0)
        (800, True)
    """
    source, seen = random.Random(seed), set()
    rows: dict[str, list[tuple[str, str]]] = {}
    for split, size in SIZES.items():
        rows[split] = []
        for number in range(size):
            positive = number % 2 == 1
            text = _review(source, positive)
            while text in seen:
                text = _review(source, positive)
            seen.add(text)
            rows[split].append((text, LABELS[positive]))
        source.shuffle(rows[split])
    return rows


def _review(source: random.Random, positive: bool) -> str:
    text = re.sub(r"\s+([.,:])", r"\1", re.sub(r" {2,}", " ", _expand("review", positive, source))).strip()
    return re.sub(r"(^|[.:!] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def _expand(rule: str, positive: bool, source: random.Random) -> str:
    rules = _rules()
    choices = rules[rule] if rule in rules else rules[rule + "-+"[positive]]
    return _REFERENCE.sub(lambda found: _expand(found[2], positive != bool(found[1]), source), source.choice(choices))


@cache
def _rules() -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    choices: list[str] = []
    for line in GRAMMAR.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            times, text = re.fullmatch(r"(?:(\d+)x )?(.*)", line[4:]).groups()
            choices.extend(["" if text == "-" else text] * int(times or 1))
        elif line and not line.startswith("#"):
            choices = rules.setdefault(line, [])
    return rules

"""Pairs of segments for next-sentence prediction, walked over sentence by sentence, compiled."""

import numba
import numpy as np

_TRIES = 8  # documents that are looked at for one that is long enough


@numba.njit(cache=True)
def pair_spans(order, documents, sentences, budget, random):
    """Parts documents into pairs of segments that fill a sequence.

    A stretch of the document as long as the budget, or as what is left of it, is cut at one of its sentence ends. The
    second segment is either the rest of the stretch, or a stretch of another document that begins with a sentence and
    is as long, if one is found; then the rest is left for the next pair. So lengths tell next to nothing of which it
    is, and strangers are half of all. What is left of a document and fills less than half of a sequence is spared for
    another pass, so that little is padding; a document that short itself makes a pair of its own. A single token
    always gets a stranger, and the other pairs make up for it.

    Args:
        order: which documents in which order, int64 [n], n >= 2.
        documents: int64 [documents + 1], the first sentence of each.
        sentences: int64 [sentences + 1], the first token of each.
        budget: tokens of both segments together.
        random: a numpy Generator.

    Returns:
        int64 [pairs, 5]: start and length of the first and of the second segment, 1 where the second follows.
    """
    pairs = np.empty((1024, 5), np.int64)
    count = strangers = 0
    for number in range(len(order)):
        document = order[number]
        sentence, last = documents[document], documents[document + 1]
        at, end = sentences[sentence], sentences[last]
        # What no pair will have, half of the time from the start rather than from the end.
        spare = (end - at) % budget if end - at > budget else 0
        if 0 < spare < budget // 2 and random.random() < 0.5:
            while sentences[sentence + 1] <= at + spare:
                sentence += 1
            at = sentences[sentence]
        begun = False
        while at < end and not (begun and end - at < budget // 2):
            begun = True
            until = min(at + budget, end)
            while sentences[sentence] <= at:
                sentence += 1
            stop = sentence
            while sentences[stop] < until:
                stop += 1
            single = until - at == 1
            if single:
                cut = until
            elif stop > sentence:
                cut = sentences[sentence + int(random.random() * (stop - sentence))]
            else:
                cut = at + 1 + int(random.random() * (until - at - 1))
            balance = 2 * strangers - count
            stranger = single or balance < 0 or (balance == 0 and random.random() < 0.5)
            if count == len(pairs):
                pairs = np.concatenate((pairs, np.empty_like(pairs)))
            pairs[count, 0], pairs[count, 1] = at, cut - at
            if stranger:
                # As long as what it stands for, so that padding tells nothing.
                room = budget - 1 if single else until - cut
                start, length = _stranger(order, number, documents, sentences, room, random)
                pairs[count, 2], pairs[count, 3], pairs[count, 4] = start, length, 0
                strangers += 1
                at = cut
            else:
                pairs[count, 2], pairs[count, 3], pairs[count, 4] = cut, until - cut, 1
                at = until
            count += 1
    return pairs[:count].copy()


@numba.njit(cache=True)
def _stranger(order, number, documents, sentences, room, random):
    """Start and length of a stretch of another document that begins with a sentence and fills the room if it can."""
    first = end = 0
    for _ in range(_TRIES):
        other = int(random.random() * (len(order) - 1))
        document = order[other if other < number else other + 1]
        first, end = sentences[documents[document]], sentences[documents[document + 1]]
        if end - first >= room:
            break
    if end - first <= room:
        return first, end - first
    token = first + int(random.random() * (end - first - room + 1))
    sentence = np.searchsorted(sentences, token, side="right") - 1
    return sentences[sentence], room

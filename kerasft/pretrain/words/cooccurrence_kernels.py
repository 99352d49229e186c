"""Compiled passes that count which words stand beside which: places by word, rows of counts, sums of runs.

A row is counted at once, from all places of its word, into one number for every word of the vocabulary: these numbers
stay in the cache, nothing is hashed or sorted, and a row is one thread's whole work, so that sums do not depend on how
many threads there are.
"""

import numpy as np
from numba import njit

from kerasft.pretrain.words.draws import NOT_WORDS

compiled = njit(fastmath=True, nogil=True, error_model="numpy", cache=True)

EDGE = np.int32(-1)
"""Between documents, among words."""

STRETCH = 3
"""Touched numbers of a row are looked for in stretches of 2^3, which is a cache line."""


@compiled
def stretch_bounds(values, offsets, start, stop, window):
    """Where to read from, and to, so that all words of values[start:stop] have their neighbours: (start, stop)."""
    document = np.searchsorted(offsets, start, side="right") - 1
    found = 0
    first = start
    while first > offsets[document] and found < window:
        first -= 1
        found += values[first] >= NOT_WORDS
    document = np.searchsorted(offsets, stop - 1, side="right") - 1
    found = 0
    last = stop
    while last < offsets[document + 1] and found < window:
        found += values[last] >= NOT_WORDS
        last += 1
    return first, last


@compiled
def take_words(values, offsets, bounds, start, stop, tokens, starts):
    """The words of a stretch with an edge before, between and behind documents, and where each word's places will be.

    Args:
        values, offsets: the corpus.
        bounds: of what is read, from `stretch_bounds`.
        start, stop: of what is counted.
        tokens: int32 [bounds[1] - bounds[0] + documents in them + 2] at least; filled with words from 0 on and edges.
        starts: int64 [vocabulary + 1]; filled.

    Returns:
        The first of `tokens` that is counted, the one behind the last, and where `values` has an id that there is not,
        or -1.
    """
    words = len(starts) - 1
    starts[:] = 0
    tokens[0] = EDGE
    n = 1
    first, last = 1, -1
    document = np.searchsorted(offsets, bounds[0], side="right") - 1
    for place in range(bounds[0], bounds[1]):
        if place >= offsets[document + 1]:
            while place >= offsets[document + 1]:
                document += 1
            if tokens[n - 1] != EDGE:
                tokens[n] = EDGE
                n += 1
        if place == start:
            first = n
        if place == stop:
            last = n
        word = values[place]
        if word < 0 or word >= words:
            return first, last, place
        if word >= NOT_WORDS:
            tokens[n] = word
            n += 1
            if start <= place < stop:
                starts[word + 1] += 1
    tokens[n] = EDGE
    if last < 0:
        last = n
    for word in range(words):
        starts[word + 1] += starts[word]
    return first, last, -1


@compiled
def place_words(tokens, first, last, starts, places):
    """Where each word is: places[starts[w]:starts[w + 1]] ascend, tokens[place] = w. All of int32."""
    fill = starts.copy()
    for place in range(first, last):
        word = tokens[place]
        if word >= 0:
            places[fill[word]] = place
            fill[word] += 1


@compiled
def count_rows(tokens, places, starts, first, last, weights, sums, touched, columns, counts, lengths):
    """Counts what stands beside the words first <= w < last.

    Args:
        tokens, places, starts: from `take_words` and `place_words`.
        weights: float64 [window + 1]; what a neighbour at a distance counts.
        sums: float64, a number for each word; 0 before and after.
        touched: uint8, a number for each stretch of words; 0 before and after.
        columns, counts: int32 and float32; filled with the rows, one after another, columns ascending.
        lengths: int64 [vocabulary]; how long each row became.

    Returns:
        How many columns and counts were written.
    """
    window = len(weights) - 1
    n = 0
    for word in range(first, last):
        for at in range(starts[word], starts[word + 1]):
            place = places[at]
            for distance in range(1, window + 1):
                other = tokens[np.uint64(place - distance)]
                if other < 0:
                    break
                sums[np.uint64(other)] += weights[distance]
                touched[np.uint64(other >> STRETCH)] = 1
            for distance in range(1, window + 1):
                other = tokens[np.uint64(place + distance)]
                if other < 0:
                    break
                sums[np.uint64(other)] += weights[distance]
                touched[np.uint64(other >> STRETCH)] = 1
        lengths[word] = _take_sums(sums, touched, columns[n:], counts[n:])
        n += lengths[word]
    return n


@compiled
def add_runs(columns, counts, starts, sums, touched, out_columns, out_counts, lengths):
    """Adds the same rows of several runs.

    Args:
        columns, counts: of all runs.
        starts: int64 [runs, rows + 1]; row r of a run is columns[starts[run, r]:starts[run, r + 1]].
        sums, touched: as in `count_rows`.
        out_columns, out_counts: filled with the rows, one after another.
        lengths: int64 [rows]; how long each row became.

    Returns:
        How many columns and counts were written.
    """
    n = 0
    for row in range(len(lengths)):
        for run in range(len(starts)):
            for at in range(starts[run, row], starts[run, row + 1]):
                sums[columns[at]] += counts[at]
                touched[columns[at] >> STRETCH] = 1
        lengths[row] = _take_sums(sums, touched, out_columns[n:], out_counts[n:])
        n += lengths[row]
    return n


@compiled
def _take_sums(sums, touched, columns, counts):
    n = 0
    for stretch in range(len(touched)):
        if touched[stretch]:
            touched[stretch] = 0
            start = stretch << STRETCH
            for column in range(start, min(start + (1 << STRETCH), len(sums))):
                if sums[column] != 0.0:
                    columns[n] = column
                    counts[n] = sums[column]
                    sums[column] = 0.0
                    n += 1
    return n

"""A stretch of the corpus, block after block, in several threads that wait for each other."""

from typing import NamedTuple

import numpy as np
from numba import njit

from kerasft.pretrain.words import kernels
from kerasft.pretrain.words.barrier import wait

LANES, BLOCK, SHARED = 4, 16, 64
"""Blocks at a time, words of a block at most, and the negatives that they share."""

_TOLD_EVERY = 16  # blocks of which one has its loss computed, as logarithms are slow


class Tables(NamedTuple):
    """What is learned; rows are a multiple of 8 wide.

    Attributes:
        inputs: float32 [rows, d].
        outputs: float32 [words, d].
        edges: int64 [words + 1]; word w is the mean of the input rows members[edges[w]:edges[w + 1]].
        members: int32.
        plain: whether word w is input row w alone.
    """

    inputs: np.ndarray
    outputs: np.ndarray
    edges: np.ndarray
    members: np.ndarray
    plain: bool


class Stretch(NamedTuple):
    """What it is learned from.

    Attributes:
        words: int32 [n].
        left, right: int8 [n], how many words on either side each looks at.
        negatives: int32 [lanes, blocks, shared].
        window: the largest.
        count: negatives a pair.
        mean: CBOW instead of skip-gram.
        first_rate, last_rate: the learning rate, falling in between.
    """

    words: np.ndarray
    left: np.ndarray
    right: np.ndarray
    negatives: np.ndarray
    window: int
    count: np.float32
    mean: bool
    first_rate: np.float32
    last_rate: np.float32


class Scratch(NamedTuple):
    """Room for the blocks of all lanes, by which words it is for: a block's, those around, the negatives."""

    block: np.ndarray
    d_block: np.ndarray
    around: np.ndarray
    d_around: np.ndarray
    negatives: np.ndarray
    d_negatives: np.ndarray
    near: np.ndarray
    far: np.ndarray
    hidden: np.ndarray
    told: np.ndarray

    @classmethod
    def of(cls, size: int, width: int, window: int) -> "Scratch":
        """Zeros for blocks of `size` words, vectors of a width and a window."""

        def room(*shape: int) -> np.ndarray:
            return np.zeros((LANES, *shape), np.float32)

        block, around, shared = (size, width), (size + 2 * window, width), (SHARED, width)
        return cls(
            *(room(*shape) for shape in (block, block, around, around, shared, shared)),
            room(size, 2 * window + 1),
            room(size, SHARED),
            room(*block),
            np.zeros((LANES, 2)),
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _vectors_of(tables, ids, out):
    if tables.plain:
        kernels.gather(tables.inputs, ids, out)
    else:
        kernels.gather_means(tables.inputs, tables.edges, tables.members, ids, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_to_vectors(tables, ids, changes, thread, threads):
    if tables.plain:
        kernels.add_rows(tables.inputs, ids, changes, thread, threads)
    else:
        kernels.add_to_members(tables.inputs, tables.edges, tables.members, ids, changes, thread, threads)


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(tables, stretch, room, lane, number, start, stop, low, high, rate):
    size, around = stop - start, high - low
    words, beside, shared = stretch.words[start:stop], stretch.words[low:high], stretch.negatives[lane, number]
    left, right = stretch.left[start:stop], stretch.right[start:stop]
    block, d_block = room.block[lane, :size], room.d_block[lane, :size]
    others, d_others = room.around[lane, :around], room.d_around[lane, :around]
    negatives, d_negatives = room.negatives[lane], room.d_negatives[lane]
    near, far, told = room.near[lane, :size], room.far[lane, :size], room.told[lane]
    told_before = told[0]
    if number % _TOLD_EVERY:
        told[0] = -1.0
    kernels.gather(tables.outputs, shared, negatives)
    if stretch.mean:
        _vectors_of(tables, beside, others)
        kernels.gather(tables.outputs, words, block)
        kernels.cbow(
            room.hidden[lane, :size], others, block, negatives, left, right, start - low, rate, stretch.count,
            near[:, :1], far, d_others, d_block, d_negatives, told,
        )  # fmt: skip
    else:
        _vectors_of(tables, words, block)
        kernels.gather(tables.outputs, beside, others)
        kernels.skipgram(
            block, others, negatives, left, right, start - low, rate, stretch.count,
            near, far, d_block, d_others, d_negatives, told,
        )  # fmt: skip
    if number % _TOLD_EVERY:
        told[0] = told_before


@njit(cache=True, nogil=True, error_model="numpy")
def train(thread, threads, stamps, tables, stretch, room):
    """Trains on a stretch; to be called by all threads of a crew, each with its number."""
    n, lanes = len(stretch.words), len(stretch.negatives)
    blocks = stretch.negatives.shape[1]
    most = room.block.shape[1]
    length, stamp = blocks * most, 0
    for number in range(blocks):
        rate = stretch.first_rate + (stretch.last_rate - stretch.first_rate) * np.float32(number) / np.float32(blocks)
        for lane in range(thread, lanes, threads):
            start = lane * length + number * most
            stop = min(start + most, n)
            if start < stop:
                low, high = max(0, start - stretch.window), min(n, stop + stretch.window)
                _compute(tables, stretch, room, lane, number, start, stop, low, high, rate)
        stamp += 1
        wait(stamps, thread, threads, stamp)
        for lane in range(lanes):
            start = lane * length + number * most
            stop = min(start + most, n)
            if start < stop:
                low, high = max(0, start - stretch.window), min(n, stop + stretch.window)
                words, around, size = stretch.words[start:stop], stretch.words[low:high], high - low
                if stretch.mean:
                    _add_to_vectors(tables, around, room.d_around[lane, :size], thread, threads)
                    kernels.add_rows(tables.outputs, words, room.d_block[lane], thread, threads)
                else:
                    _add_to_vectors(tables, words, room.d_block[lane], thread, threads)
                    kernels.add_rows(tables.outputs, around, room.d_around[lane, :size], thread, threads)
                kernels.add_rows(
                    tables.outputs, stretch.negatives[lane, number], room.d_negatives[lane], thread, threads
                )
        stamp += 1
        wait(stamps, thread, threads, stamp)

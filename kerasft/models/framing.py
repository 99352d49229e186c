"""The frame that BERT's family expects around a text, made inside the model."""

from typing import Any

from keras import ops


def framed(tokens: Any, cls_id: int, sep_id: int) -> tuple[Any, Any]:
    """Puts "[CLS]" before a text and "[SEP]" behind it (Devlin et al. 2019, section 3).

    Args:
        tokens: int [batch, time], padded with 0 on the right; 0 is no token. A row may be all padding.
        cls_id: what stands for "[CLS]".
        sep_id: what stands for "[SEP]".

    Returns:
        The framed ids, int [batch, time + 2], padded with 0 on the right, and their mask, bool of the same shape. A
        row of padding alone becomes "[CLS] [SEP]".

    Example:
        >>> ids, mask = framed(np.array([[7, 8, 0], [9, 0, 0]], "int32"), cls_id=2, sep_id=3)
        >>> np.asarray(ids).tolist()
        [[2, 7, 8, 3, 0], [2, 9, 3, 0, 0]]
    """
    none = ops.zeros_like(tokens[:, :1])  # [batch, 1]; a slice of tokens, so that no shape must be known
    first = ops.concatenate([none + cls_id, tokens, none], axis=1)  # [batch, time + 2]
    length = ops.sum(ops.cast(ops.not_equal(first, 0), "int32"), axis=1, keepdims=True)  # [batch, 1]; with [CLS]
    place = ops.cumsum(ops.cast(ops.ones_like(first), "int32"), axis=1) - 1  # [batch, time + 2]: 0, 1, 2, ...
    ids = ops.where(ops.equal(place, length), ops.cast(sep_id, first.dtype), first)
    return ids, ops.less_equal(place, length)

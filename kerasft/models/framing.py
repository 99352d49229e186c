"""The frame that BERT's family expects around a text, made inside the model."""

from typing import Any

from keras import ops


def framed(tokens: Any, cls_id: int, sep_id: int) -> tuple[Any, Any]:
    """Puts "[CLS]" before a text and "[SEP]" behind it (Devlin et al. 2019, section 3).

    Args:
        tokens: int [batch, time], padded with 0 on the right; no real token is 0. A row may be all padding.
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
    # A place belongs to the text and its frame if what stands before it does.
    mask = ops.not_equal(ops.concatenate([none + cls_id, none + cls_id, tokens], axis=1), 0)
    ids = ops.where(ops.logical_and(mask, ops.equal(first, 0)), sep_id, first)
    return ids, mask

"""Whether a pretrained encoder's vocabulary fits the texts it is to read; told before hours are spent on training."""

from itertools import islice
from typing import Any

import numpy as np

from kerasft.inputs import Text

MANY_UNKNOWN = 0.02
"""A vocabulary that was learnt from texts of the same language leaves far less than this unknown."""

_LOOKED_AT = 2_000  # texts


def unknown_share(texts: Any, text: Text) -> float:
    """Share of the tokens of texts that are "[UNK]": symbols or letters that the vocabulary does not have.

    Args:
        texts: `str`s, or None where there is none; the first 2,000 are looked at.
        text: how they are read.

    Returns:
        0 to 1.
    """
    some = list(islice((one for one in texts if one), _LOOKED_AT))
    ids = text.encode(some).values
    return float(np.mean(ids == text.unknown_id)) if len(ids) else 0.0


def warn_of_unknown(rows: Any, text: Text, backbone: str | None) -> dict[str, str]:
    """Adds to the rows' warnings that many tokens are unknown to a pretrained encoder.

    Args:
        rows: rows with texts; their checks, which a run and its report show, are added to.
        text: how the encoder reads them.
        backbone: what the user named; None for a new encoder, whose vocabulary is made of these rows.

    Returns:
        What a report and a card should say of it: nothing where the vocabulary fits.
    """
    if backbone is None:
        return {}
    share = unknown_share(rows.train["text"], text)
    if share <= MANY_UNKNOWN:
        return {}
    rows.checks["warnings"].append(
        f"{share:.1%} of the tokens of the train texts are not in the vocabulary of {backbone}, which may be of "
        "another language or script: the model cannot tell them from each other. Pretrain on texts like these "
        "(python -m apps.pretrain_bert), or name another encoder."
    )
    return {"unknown_to_its_vocabulary": f"{share:.1%} of the train texts' tokens"}

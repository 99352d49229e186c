"""What a person should know before a pretraining begins that can teach little: told, not refused."""

from collections.abc import Iterator

from kerasft.pretrain.fitting import Plan

_FEW_STEPS = 200
_FEW_TOKENS = 500_000
_MANY_PASSES = 100
_FEW_HELD_OUT = 32
_FEW_REAL = 0.6


def cautions(plan: Plan, tokens: int, new: bool) -> Iterator[str]:
    """Sentences about what is too little, or too much of the same.

    Args:
        plan: what will be done.
        tokens: of the whole corpus.
        new: whether the encoder begins with random weights.
    """
    if new and tokens < _FEW_TOKENS:
        yield (
            f"{tokens:,} tokens are far too little to learn a language from: take a pretrained encoder and go on from "
            "it (--backbone), or give more text, unlabelled rows too."
        )
    if plan.steps < _FEW_STEPS:
        what = "1 step changes" if plan.steps == 1 else f"{plan.steps:,} steps change"
        yield f"{what} the weights little: give more --steps (or --epochs), some thousands for a new encoder."
    if (real := plan.train.instances.packing()) < _FEW_REAL:
        yield (
            f"{real:.0%} of the pairs are real tokens, the others padding: give a smaller --sequence, or leave "
            "--next-sentence out, as texts in one stream fill their sequences."
        )
    if plan.passes > _MANY_PASSES:
        yield (
            f"Each text is seen {plan.passes:,.0f} times and may be learned by heart; the figures on held-out "
            "documents show when that begins."
        )
    if (held := len(plan.held_out.lengths)) < _FEW_HELD_OUT:
        yield f"Held-out documents make {held:,} {sequences(held)} alone: figures on them are rough guesses."


def sequences(count: int) -> str:
    """ "sequence" or "sequences"."""
    return "sequence" if count == 1 else "sequences"

"""Low-rank bilinear fusion: every feature of one input times every feature of the others, at the cost of a sum."""

from collections.abc import Mapping
from typing import Any

from keras import layers, ops

from kerasft.models.branch import Encoded, where_present


def fuse_bilinear(parts: Mapping[str, Encoded], width: int, rank: int) -> Any:
    """Low-rank multimodal fusion (Liu et al. 2018, "Efficient low-rank multimodal fusion with modality-specific
    factors", equations 4 to 6).

    With z_i' = [z_i, 1] the outer product of all z_i' holds every product of features of any subset of inputs. Its
    linear map to h of rank r is a product of factors, one an input: h = sum over r of prod over i of W_i^r z_i'.
    A layer's bias is the weight of the appended 1. The factor of a missing input is 1: the product of the others.

    Args:
        parts: the inputs by name.
        width: of the result.
        rank: of the map.

    Returns:
        float [batch, width].
    """
    product: Any = None
    for name, part in parts.items():
        # Biases start at 1 and kernels below, so that products begin near the sum of their factors and not near 0.
        factor = layers.Dense(rank * width, bias_initializer="ones", name=f"{name}_factors")(part.vector)
        factor = where_present(part.present, factor, 1.0)  # [batch, rank x width]
        product = factor if product is None else product * factor
    return ops.mean(ops.reshape(product, (-1, rank, width)), axis=1)  # a mean and not a sum: its scale is that of one

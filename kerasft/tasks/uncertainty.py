"""Losses of several targets weighed by how uncertain each is."""

from typing import Any


def uncertainty_loss(losses: Any, log_variances: Any) -> Any:
    """One loss out of several, each divided by its target's learnt variance.

    For class targets, sum over k of L_k / sigma_k^2 + log sigma_k (Kendall, Gal & Cipolla 2018, "Multi-task learning
    using uncertainty to weigh losses", equations 7 to 10). With s = log sigma^2, which may be any number, that is
    exp(-s) L + s / 2. The second term keeps a target from being given up; at the best s the variance is 2 L.

    Args:
        losses: the mean loss of each target, float [targets].
        log_variances: log sigma^2 of each target, trainable, float [targets]; start at 0, where all weigh the same.

    Returns:
        The loss, a scalar of the backend.

    Example:
        >>> float(uncertainty_loss(np.array([1.0, 2.0]), np.zeros(2)))
        3.0
    """
    from keras import ops

    losses = ops.convert_to_tensor(losses)
    log_variances = ops.cast(log_variances, losses.dtype)
    return ops.sum(ops.exp(-log_variances) * losses + log_variances / 2)

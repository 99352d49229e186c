"""LSTM and GRU layers over a masked sequence, for every model that reads one."""

from typing import Any, Literal

from keras import layers

Cell = Literal["lstm", "gru"]


def recurrent_layers(
    x: Any,
    mask: Any,
    width: int,
    *,
    layers_count: int = 1,
    cell: Cell = "lstm",
    bidirectional: bool = True,
    sequence: bool = True,
    prefix: str = "",
) -> Any:
    """Stacked recurrent layers (LSTM: Hochreiter & Schmidhuber 1997; GRU: Cho et al. 2014).

    Args:
        x: float [batch, time, features].
        mask: bool [batch, time], True for real steps, which come first; None where all are real.
        width: units of each layer and direction.
        layers_count: how many layers. Default 1.
        cell: "lstm" or "gru".
        bidirectional: read in both directions and join the two. Default True.
        sequence: whether the last layer gives every step or only its final state. Default True.
        prefix: what the layers' names begin with.

    Returns:
        float [batch, time, width or 2 width]; without time where not `sequence`.
    """
    recurrent_type = {"lstm": layers.LSTM, "gru": layers.GRU}[cell]
    for number in range(1, layers_count + 1):
        sequences = sequence or number < layers_count
        recurrent = recurrent_type(width, return_sequences=sequences, name=f"{prefix}{cell}_{number}")
        if bidirectional:
            recurrent = layers.Bidirectional(recurrent, name=f"{prefix}bidirectional_{number}")
        x = recurrent(x, mask=mask)
    return x

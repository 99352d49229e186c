"""What a server is told: where to listen, how much to take on, what to watch."""

from dataclasses import dataclass

from kerasft.base.errors import InputError


@dataclass(frozen=True)
class Limits:
    """How much a server takes on.

    Args:
        body_megabytes: the largest request. Default 16.
        body_seconds: a request must have come in whole after so long. Default 10.
        rows: the most rows of a request. Default 1024.
        batch_rows: the most rows of a batch. Default 64.
        batch_milliseconds: a batch holds no more rows than what is expected to take so long. Default 4.
        queue_milliseconds: a request that would wait longer than this for those before it is refused with 429; in a
            burst of up to a second, longer than five times this. Default 200.
        timeout_seconds: a request that has no answer after so long gets 504. Default 30.
        drain_seconds: after SIGTERM requests are given so long to end. Default 10.

    Raises:
        InputError: if one is out of bounds.
    """

    body_megabytes: float = 16
    body_seconds: float = 10
    rows: int = 1024
    batch_rows: int = 64
    batch_milliseconds: float = 4
    queue_milliseconds: float = 200
    timeout_seconds: float = 30
    drain_seconds: float = 10

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                option = "--limits." + name.replace("_", "-")
                raise InputError("a limit must be above 0", received=value, where=option)
        if self.queue_milliseconds > self.timeout_seconds * 1000:
            raise InputError(
                "a request may wait longer than it may take",
                received=f"queue {self.queue_milliseconds:g} ms, timeout {self.timeout_seconds:g} s",
                where="--limits.queue-milliseconds",
                allowed="at most the timeout",
            )

    @property
    def body_bytes(self) -> int:
        """The largest request in bytes."""
        return int(self.body_megabytes * 1_000_000)

"""What a client is told when its request gets no answer."""

from collections.abc import Mapping


class RefusalError(Exception):
    """A request that is not answered: an HTTP status and a message that says what was received.

    Args:
        status: the HTTP status, 400 to 599.
        message: for the JSON body `{"error": message}`.
        headers: more headers, such as Retry-After.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


def overloaded(wait: int) -> RefusalError:
    """The refusal where too many wait; `wait` is after how many seconds to come again."""
    return RefusalError(429, f"the server is busy: try again in {wait} s.", {"Retry-After": str(wait)})

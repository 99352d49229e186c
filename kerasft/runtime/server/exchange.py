"""Request bodies in, JSON out: within limits, and an error that says what was received for whatever else comes."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from kerasft.base.errors import shorten
from kerasft.runtime.server.options import Limits
from kerasft.runtime.server.refusal import RefusalError

_DEEPEST = 64


def check_head(headers: Sequence[tuple[bytes, bytes]], limits: Limits) -> None:
    """Looks at a request's headers before its body is read; any content type will do, as with TensorFlow Serving.

    Raises:
        RefusalError: 413 or 415.
    """
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value[:19]) > limits.body_bytes:
            raise too_large(f"{int(value[:19]):,}", limits)
        if name == b"content-encoding" and value != b"identity":
            told = value[:100].decode("latin-1")
            raise RefusalError(415, f"the body must not be compressed. Received: content-encoding {told!r}.")


def parse_json(body: bytes) -> Any:
    """The value of a request's body.

    Raises:
        RefusalError: 400.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_constant)
        if body.count(b"[") + body.count(b"{") > _DEEPEST:
            _check_depth(value)
        return value
    except UnicodeDecodeError as error:
        raise RefusalError(
            400, f"the body is not UTF-8. Received: byte {body[error.start]:#04x} at {error.start}."
        ) from None
    except json.JSONDecodeError as error:
        near = shorten(error.doc[max(0, error.pos - 20) : error.pos + 20])
        raise RefusalError(400, f"the body is not JSON: {error.msg}. Received: {near} at {error.pos}.") from None
    except RecursionError:
        raise RefusalError(400, f"the body is nested too deep. Received: more than {_DEEPEST} levels.") from None
    except ValueError as error:  # a number of thousands of digits
        raise RefusalError(400, f"the body holds a number that cannot be read. Received: {error}.") from None


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The body of a request that comes by ASGI.

    Raises:
        RefusalError: 400, 408, 413 or 415.
    """
    check_head(scope["headers"], limits)
    chunks, size, more = [], 0, True
    try:
        async with asyncio.timeout(limits.body_seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusalError(400, f"the client left. Received: {size:,} bytes.")
                chunk, more = message.get("body", b""), message.get("more_body", False)
                size += len(chunk)
                if size > limits.body_bytes:
                    raise too_large(f"more than {limits.body_bytes:,}", limits)
                chunks.append(chunk)
    except TimeoutError:
        raise too_late(size, limits) from None
    return b"".join(chunks)


def too_large(size: str, limits: Limits) -> RefusalError:
    """The refusal of a body; `size` is what is known of it."""
    return RefusalError(
        413,
        f"the body is too large. Received: {size} bytes. Allowed: {limits.body_bytes:,}.",
        {"Connection": "close"},
    )


def too_late(size: int, limits: Limits) -> RefusalError:
    """The refusal of a body of which only so many bytes have come in time."""
    return RefusalError(
        408,
        f"the body did not come within {limits.body_seconds:g} seconds. Received: {size:,} bytes.",
        {"Connection": "close"},
    )


def _constant(name: str) -> float:
    if name == "NaN":
        return float("nan")
    raise RefusalError(400, f"a number must be finite, or NaN where it is missing. Received: {name}.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise RecursionError


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The value as ASCII JSON."""
        return encode_json(content)


def encode_json(value: Any) -> bytes:
    """A value as ASCII JSON, without NaN."""
    return _ENCODER.encode(value).encode("ascii")


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Json:
    """`{"error": message}`."""
    return Json({"error": message}, status, headers=headers)

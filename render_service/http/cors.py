"""Answers that scripts of any site may read: pictures and documents that are public anyway.

No cookie or other credential is ever part of such an answer.
"""

from collections.abc import Sequence
from typing import Final

from render_service.http.replies import Message, Send

_CORS: Final = (b"access-control-allow-origin", b"*")


def for_any_origin(send: Send) -> Send:
    """Return `send` that lets scripts of any site read the answer, errors included."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], _CORS]}
        await send(message)

    return sending


def preflight(methods: Sequence[str]) -> list[tuple[str, str]]:
    """Return the headers of an answer to OPTIONS: scripts may use `methods`, for a day."""
    return [
        ("allow", ", ".join(methods)),
        ("access-control-allow-methods", ", ".join(methods)),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "86400"),
        ("cache-control", "no-store"),
    ]

"""What a write stands on, and what a caller has written: headers of requests that change things.

The rule: a header that cannot be understood is refused by name. Ignored, it would let a change
through that its caller had meant to hold back.
"""

import hashlib
import re
from typing import Any, Final

from litestar import Request, Response

from render_service.adapters.idempotency_table import Answer, Once
from render_service.errors import PreconditionMissing
from render_service.http.asked import invalid
from render_service.products.ports import Expected

CONSISTENCY: Final = "consistency-token"
NOT_KEPT: Final = {"cache-control": "no-store"}

KEY_MAX: Final = 255
"""Characters of an Idempotency-Key: a UUID has 36."""

_TAGS: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,\s*(?:W/)?"[^"]*"\s*)*')
_REVISION: Final = re.compile(r'(?<!W/)"([0-9]{1,18})"')
_KEY: Final = re.compile(rf'"?([\x21\x23-\x5b\x5d-\x7e]{{1,{KEY_MAX}}})"?', re.ASCII)
_POSITION: Final = re.compile(r"[0-9A-F]{1,8}-[0-9A-F]{1,8}", re.ASCII)


def read_expected(request: Request[Any, Any, Any], *, creates: bool = False) -> Expected:
    """Return what the request believes of the thing that it changes.

    Args:
        request: Its `If-Match`, and `If-None-Match` where it `creates`.
        creates: Whether the route makes what is not there, too.

    Raises:
        PreconditionMissing: It says nothing.
        InvalidBody: It says something else.
    """
    match = request.headers.get("if-match")
    none_match = request.headers.get("if-none-match")
    if creates and none_match is not None and match is None:
        if none_match.strip() != "*":
            raise invalid([("If-None-Match", "expected * : only what is not there is made")])
        return Expected(nothing=True)
    if match is None:
        raise PreconditionMissing(creates=creates)
    if match.strip() == "*":
        return Expected(anything=True)
    if _TAGS.fullmatch(match) is None:
        raise invalid([("If-Match", f'{match[:80]!r}; expected an ETag, as "7", or *')])
    # Weak tags never match (RFC 9110, section 13.1.1), and others' tags are none of ours.
    return Expected(revisions=frozenset(map(int, _REVISION.findall(match))))


def read_once(request: Request[Any, Any, Any], caller: str, body: bytes) -> Once | None:
    """Return what the request is known by, None where it has no Idempotency-Key.

    Raises:
        InvalidBody: The key is none.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = _KEY.fullmatch(given.strip())
    if key is None:
        problem = f"{given[:80]!r}; expected 1 to {KEY_MAX} visible ASCII characters"
        raise invalid([("Idempotency-Key", problem)])
    scope = request.scope
    asked = f"{scope['method']} ".encode() + scope["raw_path"] + b"?" + scope["query_string"]
    return Once(
        caller=caller, key=key[1], fingerprint=hashlib.sha256(asked + b"\0" + body).digest()
    )


def read_position(request: Request[Any, Any, Any]) -> str:
    """Return the position that an answer must not be older than, "" where any will do.

    Raises:
        InvalidBody: It is none that a write answered with.
    """
    given = request.headers.get(CONSISTENCY, "")
    if given and _POSITION.fullmatch(given) is None:
        problem = f"{given[:80]!r}; expected what a write answered with"
        raise invalid([("Consistency-Token", problem)])
    return given.replace("-", "/")


def position_header(position: str) -> dict[str, str]:
    """Return the header that lets its reader see what was written."""
    return {CONSISTENCY: position.replace("/", "-")}


def answered(answer: Answer, position: str) -> Response[bytes]:
    """Return the response of an answer that is given once, or again."""
    again = {"idempotency-replayed": "true"} if answer.replayed else {}
    return Response(
        content=answer.body,
        status_code=answer.status,
        media_type="application/json",
        headers={**NOT_KEPT, **answer.headers, **again, **position_header(position)},
    )

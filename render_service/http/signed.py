"""Signed addresses over HTTP: the query that carries a signature, and how long its answer is kept.

What a signature allows until a certain time is kept by no cache longer than that.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl

from render_service.errors import MalformedPath, UnknownQueryKey
from render_service.planning.signatures import QUERY_KEYS, Signer
from render_service.rendering.rendition import IMMUTABLE


class Grant(NamedTuple):
    """What a signature allows, until `expires_s` (seconds since 1970); None is for ever."""

    expires_s: int | None


def read_grant(signer: Signer, path: str, query_string: bytes, now_s: int) -> Grant | None:
    """Return what the query allows; None where there is none.

    Args:
        signer: Knows the signatures.
        path: What is signed, percent-decoded.
        query_string: As it was sent.
        now_s: Seconds since 1970.

    Raises:
        UnknownQueryKey: It has a key that is no part of a signature.
        MalformedPath: It has a key twice.
        NotAllowed: Its signature does not hold.
    """
    if not query_string:
        return None
    query = query_string.decode("latin-1")
    given: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True) or [(query, "")]:
        if key not in QUERY_KEYS:
            raise UnknownQueryKey(key, QUERY_KEYS)
        if key in given:
            raise MalformedPath("query", key, "each key once")
        given[key] = value
    return Grant(signer.verify(path, given, now_s))


def granted_cache_control(grant: Grant | None, now_s: int) -> str:
    """Return the Cache-Control of a picture that `grant`, or nothing, was needed for."""
    if grant is None or grant.expires_s is None:
        return IMMUTABLE
    left_s = grant.expires_s - now_s
    return f"public, max-age={left_s}, no-transform" if left_s > 0 else "no-store"

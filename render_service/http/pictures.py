"""Answers with a picture, whatever route they are given by: headers, 304, ranges.

A picture's headers are the same wherever it is served from; a route adds its own and changes none.
"""

from collections.abc import Sequence

from render_service.http.caching import Unsatisfiable, is_current, pick_range
from render_service.http.problems import describe_status
from render_service.http.replies import (
    Headers,
    Scope,
    Send,
    header_bytes,
    instance_of,
    read_header,
    send_problem,
    send_whole,
)
from render_service.rendering.rendition import IMMUTABLE, Rendition
from render_service.rendering.served import Served


def picture_headers(
    served: Served, tags: Sequence[tuple[str, str]], cache_control: str = IMMUTABLE
) -> Headers:
    """Return the headers of every answer with a picture or about one.

    Args:
        served: The picture, and how it was come by.
        tags: What `purge_tags` returned.
        cache_control: How long a cache may keep it.
    """
    pairs = [
        ("etag", served.rendition.etag),
        ("cache-control", cache_control),
        ("cache-status", _cache_status(served)),
        *tags,
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("timing-allow-origin", "*"),
    ]
    if served.timings is not None:
        pairs.append(("server-timing", served.timings.server_timing))
    if served.move:
        # A connection stays with the process that accepted it; a new one finds the one that waits.
        pairs.append(("connection", "close"))
    return header_bytes(pairs)


def purge_tags(composition: str, view: str) -> list[tuple[str, str]]:
    """Return what a CDN may purge by; Surrogate-Key is parted by spaces, Cache-Tag by commas."""
    tags = (f"composition:{composition}", f"view:{composition}.{view}")
    return [("surrogate-key", " ".join(tags)), ("cache-tag", ",".join(tags))]


def body_headers(rendition: Rendition) -> Headers:
    """Return the headers of a whole picture that speak of its body."""
    return header_bytes(
        [
            ("content-type", rendition.media_type),
            ("content-length", str(len(rendition.body))),
            ("accept-ranges", "bytes"),
        ]
    )


async def send_picture(scope: Scope, send: Send, rendition: Rendition, headers: Headers) -> None:
    """Send the picture, the part asked for, or that the client holds it already."""
    if_none_match = read_header(scope, b"if-none-match")
    if if_none_match is not None and is_current(if_none_match, rendition.etag):
        return await send_whole(send, 304, headers, b"")
    # Range is defined for GET only (RFC 9110 section 14.2).
    range_ = read_header(scope, b"range") if scope["method"] == "GET" else None
    size_bytes = len(rendition.body)
    part = pick_range(range_, read_header(scope, b"if-range"), rendition.etag, size_bytes)
    if part is None:
        return await send_whole(send, 200, headers + body_headers(rendition), rendition.body)
    if isinstance(part, Unsatisfiable):
        return await _refuse_range(scope, send, size_bytes)
    body = rendition.body[part.first : part.last + 1]
    partial = [
        ("content-type", rendition.media_type),
        ("content-length", str(len(body))),
        ("content-range", f"bytes {part.first}-{part.last}/{size_bytes}"),
        ("accept-ranges", "bytes"),
    ]
    await send_whole(send, 206, headers + header_bytes(partial), body)


def _cache_status(served: Served) -> str:
    """RFC 9211. A picture that waited for another request's render was collapsed with it."""
    if served.source != "render":
        return f"render-service; hit; detail={served.source}"
    parts = ["render-service", "fwd=miss"]
    parts += ["stored"] if served.stored else []
    parts += ["collapsed"] if served.collapsed else []
    return "; ".join([*parts, "detail=render"])


async def _refuse_range(scope: Scope, send: Send, size_bytes: int) -> None:
    detail = f"The picture has {size_bytes} bytes; the range begins behind them."
    facts = {"content-range": f"bytes */{size_bytes}"}
    await send_problem(send, describe_status(416, detail, instance_of(scope), facts))

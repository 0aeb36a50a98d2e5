"""The image route, raw ASGI in front of the application: path → picture, and nothing else.

Only a canonical path answers 200, so what is sent depends on the path alone: it never varies, sets
no cookie and is immutable. A path seen before is looked up in memory by its key, without parsing;
the body always comes from memory, so the memo cannot outlive or disagree with it.
"""

from typing import Final, NamedTuple

from render_service.http.asked import refuse_query
from render_service.http.caching import Unsatisfiable, is_current, pick_range
from render_service.http.problems import describe_error, describe_status
from render_service.http.protocol import HEAD, SIZE, join_head
from render_service.http.replies import (
    ClientGone,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    header_bytes,
    instance_of,
    read_header,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.planning.key import RenderKey
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.url import build_image_path, parse_image_path
from render_service.rendering.rendition import IMMUTABLE, Rendition
from render_service.rendering.service import RenderService, Served

MEMO_ENTRIES: Final = 8192
"""Paths remembered at most: twice the pictures of 60 kB that a memory of 256 MiB holds. Each takes
some 5 kB, so no more are kept than memory has pictures: of others nothing can be served."""

_METHODS: Final = ("GET", "HEAD")
_CONDITIONAL: Final = frozenset((b"if-none-match", b"range"))


class _Known(NamedTuple):
    """The answer to a canonical path but for its body."""

    key: RenderKey
    etag: str
    start: Message


class ImageRoute:
    """Serves `/r/…`.

    Args:
        planner: Plans what a path asks for.
        service: Finds or makes what was planned.
        public_url: Before every URL handed out; "" leaves them relative to the host.
    """

    def __init__(self, *, planner: Planner, service: RenderService, public_url: str = "") -> None:
        self._planner, self._service, self._public_url = planner, service, public_url
        self._memory = service.memory
        self._memo: dict[bytes, _Known] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        known = self._memo.get(scope["raw_path"])
        if known is not None and _is_plain(scope):
            key, etag, start = known
            held = self._memory.get(key)
            if held is not None and held.etag == etag:
                await send(start)
                return await send({"type": "http.response.body", "body": held.body})
        try:
            await self._answer(scope, receive, send)
        except ClientGone:
            return
        except Exception as error:
            await send_problem(send, describe_error(error, instance_of(scope)))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _METHODS:
            detail = "Pictures are read with GET or HEAD."
            problem = describe_status(
                405, detail, instance_of(scope), {"allow": ", ".join(_METHODS)}
            )
            return await send_problem(send, problem)
        refuse_query(scope["query_string"])
        path = scope["path"]
        planned = self._planner.plan_image(parse_image_path(path))
        canonical = build_image_path(planned.image)
        if path != canonical:
            return await self._redirect(send, planned, canonical)
        served = self._service.held(planned.key)
        if served is None:
            served = await unless_gone(receive, self._service.render(planned.plan))
        headers = self._headers(planned, served)
        if scope["raw_path"] == canonical.encode():
            self._remember(scope["raw_path"], planned, served.rendition)
        else:
            link = f'<{self._public_url}{canonical}>; rel="canonical"'
            headers.append((b"link", link.encode("latin-1")))
        await _send_picture(scope, send, served.rendition, headers)

    async def _redirect(self, send: Send, planned: PlannedImage, canonical: str) -> None:
        headers = header_bytes(
            [
                ("location", self._public_url + canonical),
                ("cache-control", IMMUTABLE),
                ("content-length", "0"),
                *_tags(planned),
            ]
        )
        await send_whole(send, 308, headers, b"")

    def _headers(self, planned: PlannedImage, served: Served) -> Headers:
        """The headers of every answer with a picture or about one."""
        pairs = [
            ("etag", served.rendition.etag),
            ("cache-control", IMMUTABLE),
            ("cache-status", _cache_status(served)),
            *_tags(planned),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("timing-allow-origin", "*"),
        ]
        if served.timings is not None:
            pairs.append(("server-timing", served.timings.server_timing))
        return header_bytes(pairs)

    def _remember(self, raw_path: bytes, planned: PlannedImage, rendition: Rendition) -> None:
        served = self._service.held(planned.key)
        if served is None:
            return
        while len(self._memo) >= min(MEMO_ENTRIES, len(self._memory)):
            # The first in: a popular path that goes is back with its next request.
            del self._memo[next(iter(self._memo))]
        headers = [*self._headers(planned, served), *_body_headers(rendition)]
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": headers,
            HEAD: join_head(headers),
            SIZE: len(rendition.body),
        }
        self._memo[raw_path] = _Known(planned.key, rendition.etag, start)


def _is_plain(scope: Scope) -> bool:
    """Whether the request asks for the whole picture, whatever the client holds."""
    if scope["query_string"] or scope["method"] != "GET":
        return False
    # A plain loop: a generator would cost as much as the rest of a hit.
    for name, _ in scope["headers"]:  # noqa: SIM110
        if name in _CONDITIONAL:
            return False
    return True


def _tags(planned: PlannedImage) -> list[tuple[str, str]]:
    """What a CDN may purge by; Surrogate-Key is parted by spaces, Cache-Tag by commas."""
    image = planned.image
    tags = (f"composition:{image.composition}", f"view:{image.composition}.{image.view}")
    return [("surrogate-key", " ".join(tags)), ("cache-tag", ",".join(tags))]


def _cache_status(served: Served) -> str:
    """RFC 9211. A picture that waited for another request's render was collapsed with it."""
    if served.source != "render":
        return f"render-service; hit; detail={served.source}"
    parts = ["render-service", "fwd=miss"]
    parts += ["stored"] if served.stored else []
    parts += ["collapsed"] if served.collapsed else []
    return "; ".join([*parts, "detail=render"])


def _body_headers(rendition: Rendition) -> Headers:
    return header_bytes(
        [
            ("content-type", rendition.media_type),
            ("content-length", str(len(rendition.body))),
            ("accept-ranges", "bytes"),
        ]
    )


async def _send_picture(scope: Scope, send: Send, rendition: Rendition, headers: Headers) -> None:
    """Send the picture, the part asked for, or that the client holds it already."""
    if_none_match = read_header(scope, b"if-none-match")
    if if_none_match is not None and is_current(if_none_match, rendition.etag):
        return await send_whole(send, 304, headers, b"")
    # Range is defined for GET only (RFC 9110 section 14.2).
    range_ = read_header(scope, b"range") if scope["method"] == "GET" else None
    size_bytes = len(rendition.body)
    part = pick_range(range_, read_header(scope, b"if-range"), rendition.etag, size_bytes)
    if part is None:
        return await send_whole(send, 200, headers + _body_headers(rendition), rendition.body)
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


async def _refuse_range(scope: Scope, send: Send, size_bytes: int) -> None:
    detail = f"The picture has {size_bytes} bytes; the range begins behind them."
    facts = {"content-range": f"bytes */{size_bytes}"}
    await send_problem(send, describe_status(416, detail, instance_of(scope), facts))

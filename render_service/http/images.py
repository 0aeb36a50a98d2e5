"""The image route, raw ASGI in front of the application: path → picture, and nothing else.

Only a canonical path answers 200, so what is sent depends on the path alone: it never varies, sets
no cookie and is immutable. A path seen before is looked up in memory by its key, without parsing;
the body always comes from memory, so the memo cannot outlive or disagree with it.
"""

import logging
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from render_service.errors import ReleaseUnreadable
from render_service.http.alias import CACHE_CONTROL
from render_service.http.asked import refuse_query
from render_service.http.observed import IMAGE_ROUTE, Hits, Observed
from render_service.http.pictures import (
    body_headers,
    picture_headers,
    purge_tags,
    send_picture,
)
from render_service.http.problems import describe_status
from render_service.http.protocol import HEAD, SIZE, join_head
from render_service.http.replies import (
    Message,
    Receive,
    Scope,
    Send,
    answer_or_problem,
    header_bytes,
    instance_of,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.planning.key import RenderKey
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.url import ImagePath, build_image_path, parse_image_path
from render_service.releases.live import LivePlanner, is_drawn_here
from render_service.rendering.rendition import IMMUTABLE, Rendition
from render_service.rendering.served import Served
from render_service.rendering.service import RenderService
from render_service.telemetry import instruments, spans
from render_service.telemetry.logs import masked_path
from render_service.telemetry.running import AccessLog
from render_service.telemetry.spans import TRACING

_log = logging.getLogger(__name__)

MEMO_ENTRIES: Final = 8192
"""Paths remembered at most: twice the pictures of 60 kB that a memory of 256 MiB holds. Each takes
some 5 kB, so no more are kept than memory has pictures: of others nothing can be served."""

PLANS_KEPT: Final = 1024
"""Plans remembered, for pictures that come from Redis or the disk; each takes some 3.5 kB. Planning
is 0.2 of the 0.5 ms of the processor that a hit there takes."""

_METHODS: Final = ("GET", "HEAD")
_SPECIAL: Final = frozenset((b"if-none-match", b"range", b"traceparent"))
_SAMPLED: Final = tuple(bytes((digit,)) for digit in b"13579bdf")
"""Last digit of a `traceparent` whose caller asks for a trace: bit 0 of its flags."""


def _ignore(_: PlannedImage) -> None:
    """Nobody wants to know."""


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
        access_log: Which requests are logged.
        asked: Called behind the answer to a path that was not remembered, with its picture.
    """

    def __init__(
        self,
        *,
        planner: LivePlanner,
        service: RenderService,
        public_url: str = "",
        access_log: AccessLog = AccessLog.OFF,
        asked: Callable[[PlannedImage], None] = _ignore,
    ) -> None:
        self._planner, self._service, self._public_url = planner, service, public_url
        self._memory, self._asked = service.memory, asked
        self._memo: dict[bytes, _Known] = {}
        # What paths come to while one state is live.
        self._planned: dict[str, tuple[ImagePath, PlannedImage]] = {}
        self._planned_by: Planner | None = None
        self._observed = Observed(self._answer_or_fail, IMAGE_ROUTE, access_log)
        self._hits, self._quiet = Hits(), access_log is not AccessLog.ALL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began_s = time.perf_counter()
        drawn = TRACING.active and TRACING.by_chance()
        known = self._memo.get(scope["raw_path"])
        if known is not None and not drawn and self._quiet and _is_plain(scope):
            key, etag, start = known
            held = self._memory.get(key)
            if held is not None and held.etag == etag:
                counted = self._hits.begin(scope["scheme"])
                try:
                    await send(start)
                    await send({"type": "http.response.body", "body": held.body})
                except BaseException:
                    self._hits.drop(counted)
                    raise
                return self._hits.end(counted, began_s, len(held.body))
        await self._observed(scope, receive, send, drawn=drawn)

    async def _answer_or_fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_or_problem(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _METHODS:
            detail = "Pictures are read with GET or HEAD."
            problem = describe_status(
                405, detail, instance_of(scope), {"allow": ", ".join(_METHODS)}
            )
            return await send_problem(send, problem)
        refuse_query(scope["query_string"])
        path = scope["path"]
        image, planned = await self._plan(path)
        if planned is None:
            return await self._send_on(send, image)
        canonical = build_image_path(planned.image)
        if path != canonical:
            return await self._redirect(send, planned, canonical)
        if (served := await self._find(planned, receive)) is None:
            return await self._send_on(send, image)
        headers = picture_headers(served, _tags(planned))
        if scope["raw_path"] == canonical.encode():
            self._remember(scope["raw_path"], planned, served.rendition)
        else:
            link = f'<{self._public_url}{canonical}>; rel="canonical"'
            headers.append((b"link", link.encode("latin-1")))
        await send_picture(scope, send, served.rendition, headers)
        if scope["method"] == "GET":
            self._asked(planned)

    async def _find(self, planned: PlannedImage, receive: Receive) -> Served | None:
        """Find or make a picture; None for one that is nowhere and not drawn here any more."""
        with spans.stage("memory"):
            served = self._service.held(planned.key)
        if served is not None:
            instruments.lookups.add(1, "memory", "hit")
            return served
        if is_drawn_here(planned.plan):
            return await unless_gone(receive, self._service.render(planned.plan))
        return await self._service.find(planned.key)

    async def _plan(self, path: str) -> tuple[ImagePath, PlannedImage | None]:
        """What a path asks for; no picture of a release that this program cannot read any more."""
        current = self._planner.current
        if current is not self._planned_by:
            self._planned.clear()
            self._planned_by = current
        if (known := self._planned.get(path)) is not None:
            return known
        with spans.stage("plan"):
            image = parse_image_path(path)
            try:
                found = image, await self._planner.find_image(image)
            except ReleaseUnreadable as error:
                _log.warning("%s: %s", masked_path(path), error)
                return image, None
        # Another state may have become live meanwhile.
        if self._planned_by is current:
            if len(self._planned) >= PLANS_KEPT:
                del self._planned[next(iter(self._planned))]
            self._planned[path] = found
        return found

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

    async def _send_on(self, send: Send, image: ImagePath) -> None:
        """To the same picture in the current version: the old one is not drawn here any more."""
        current = self._planner.plan_instead(image)
        location = self._public_url + build_image_path(current.image)
        headers = header_bytes(
            [
                ("location", location),
                ("cache-control", CACHE_CONTROL),
                ("content-length", "0"),
                *_tags(current),
            ]
        )
        await send_whole(send, 302, headers, b"")

    def _remember(self, raw_path: bytes, planned: PlannedImage, rendition: Rendition) -> None:
        served = self._service.held(planned.key)
        if served is None:
            return
        while len(self._memo) >= min(MEMO_ENTRIES, len(self._memory)):
            # The first in: a popular path that goes is back with its next request.
            del self._memo[next(iter(self._memo))]
        headers = [*picture_headers(served, _tags(planned)), *body_headers(rendition)]
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
    for name, value in scope["headers"]:
        if name in _SPECIAL and (name != b"traceparent" or _asks_for_trace(value)):
            return False
    return True


def _asks_for_trace(traceparent: bytes) -> bool:
    return TRACING.active and traceparent[-1:] in _SAMPLED


def _tags(planned: PlannedImage) -> list[tuple[str, str]]:
    return purge_tags(planned.image.composition, planned.image.view)

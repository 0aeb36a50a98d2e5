"""The image route, raw ASGI in front of the application: path → picture, and nothing else.

Only a canonical path answers 200, so what is sent depends on the path alone: it never varies, sets
no cookie and is immutable. A path seen before is looked up in memory by its key, without parsing;
the body always comes from memory, so the memo cannot outlive or disagree with it.
"""

from typing import Final, NamedTuple

from render_service.http.asked import refuse_query
from render_service.http.pictures import (
    body_headers,
    picture_headers,
    purge_tags,
    send_picture,
)
from render_service.http.problems import describe_error, describe_status
from render_service.http.protocol import HEAD, SIZE, join_head
from render_service.http.replies import (
    ClientGone,
    Message,
    Receive,
    Scope,
    Send,
    header_bytes,
    instance_of,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.planning.key import RenderKey
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.url import build_image_path, parse_image_path
from render_service.rendering.rendition import IMMUTABLE, Rendition
from render_service.rendering.service import RenderService

MEMO_ENTRIES: Final = 8192
"""Paths remembered: twice the pictures of 60 kB that a memory of 256 MiB holds; about 10 MB."""

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
        headers = picture_headers(served, _tags(planned))
        if scope["raw_path"] == canonical.encode():
            self._remember(scope["raw_path"], planned, served.rendition)
        else:
            link = f'<{self._public_url}{canonical}>; rel="canonical"'
            headers.append((b"link", link.encode("latin-1")))
        await send_picture(scope, send, served.rendition, headers)

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

    def _remember(self, raw_path: bytes, planned: PlannedImage, rendition: Rendition) -> None:
        served = self._service.held(planned.key)
        if served is None:
            return
        if len(self._memo) >= MEMO_ENTRIES:
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
    for name, _ in scope["headers"]:  # noqa: SIM110
        if name in _CONDITIONAL:
            return False
    return True


def _tags(planned: PlannedImage) -> list[tuple[str, str]]:
    return purge_tags(planned.image.composition, planned.image.view)

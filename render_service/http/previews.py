"""The preview route, raw ASGI: pictures of a draft, for whoever has its address and nobody else.

What is answered here is kept nowhere: not by a browser, a CDN or a search engine. The picture
itself is drawn and stored as any other is, under a key of its content, so the first visitor of a
draft warms what its publication will serve; no route leads to a key.
"""

from typing import Final

from render_service.drafts.drafting import Drafting
from render_service.errors import UnknownPreview
from render_service.http.asked import refuse_query
from render_service.http.pictures import body_headers
from render_service.http.problems import Problem, describe_error, describe_status
from render_service.http.replies import (
    ClientGone,
    Receive,
    Scope,
    Send,
    header_bytes,
    instance_of,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.planning.planner import PlannedImage
from render_service.planning.request import RenderRequest
from render_service.planning.url import PREVIEW_PREFIX, parse_preview_path
from render_service.rendering.service import RenderService

PREVIEW_ROUTE: Final = "/d/{token}/{view}/{configuration}/{width}.{ext}"

_METHODS: Final = ("GET", "HEAD")

_PRIVATE: Final = "private, no-store"

_KEPT_NOWHERE: Final = [
    ("x-robots-tag", "noindex, nofollow"),
    # The address is the right to see it: it must not be told to what is linked from there.
    ("referrer-policy", "no-referrer"),
]


class PreviewRoute:
    """Serves `/d/…`.

    Args:
        drafting: Knows drafts and their previews; None where there are none.
        service: Finds or makes what was planned.
    """

    def __init__(self, *, drafting: Drafting | None, service: RenderService) -> None:
        self._drafting, self._service = drafting, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._answer(scope, receive, send)
        except ClientGone:
            return
        except Exception as error:
            await send_problem(send, _kept_nowhere(describe_error(error, instance_of(scope))))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _METHODS:
            allowed = {"allow": ", ".join(_METHODS)}
            problem = describe_status(
                405, "Pictures are read with GET or HEAD.", instance_of(scope), allowed
            )
            return await send_problem(send, _kept_nowhere(problem))
        planned = await self._plan(scope)
        served = await unless_gone(receive, self._service.render(planned.plan))
        headers = [
            ("cache-control", _PRIVATE),
            *_KEPT_NOWHERE,
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "cross-origin"),
        ]
        rendition = served.rendition
        whole = [header for header in body_headers(rendition) if header[0] != b"accept-ranges"]
        await send_whole(send, 200, header_bytes(headers) + whole, rendition.body)

    async def _plan(self, scope: Scope) -> PlannedImage:
        path: str = scope["path"]
        # Who has no address of ours learns nothing of what would be right.
        token = path.removeprefix(PREVIEW_PREFIX).partition("/")[0]
        ready = None if self._drafting is None else await self._drafting.open_preview(token)
        if ready is None:
            raise UnknownPreview
        refuse_query(scope["query_string"])
        asked = parse_preview_path(path)
        request = RenderRequest(
            composition=ready.draft.composition,
            view=asked.view,
            region=asked.region,
            selection=asked.selection,
            width_px=asked.width_px,
            format=asked.format,
        )
        return ready.sound().plan(request)


def _kept_nowhere(problem: Problem) -> Problem:
    headers = [pair for pair in problem.headers if pair[0] != "cache-control"]
    return problem._replace(headers=[*headers, ("cache-control", _PRIVATE), *_KEPT_NOWHERE])

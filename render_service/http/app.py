"""The Litestar application: everything but pictures.

Every error leaves as a problem document, whoever raised it; objects arrive as arguments and reach
handlers by name.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from litestar.openapi import OpenAPIConfig

from render_service.auth.scopes import Caller
from render_service.drafts.workshop import Workshop
from render_service.errors import DatabaseUnavailable, NothingIsPublishedHere
from render_service.http.access import TOKENS, caller_of
from render_service.http.compositions import MANIFEST_CACHE_CONTROL, Compositions
from render_service.http.draft_routes import DRAFT_ROUTES
from render_service.http.health import HealthRoutes
from render_service.http.imports import Imports
from render_service.http.jobs import Jobs
from render_service.http.living import (
    all_closed,
    behind,
    keep_placeholders,
    opened,
)
from render_service.http.manifests import Manifests
from render_service.http.methods import name_methods, with_head
from render_service.http.next_clicks import Foresight, NextClicks
from render_service.http.openapi import OpenAPIDocument
from render_service.http.page import page_routes
from render_service.http.photographs import Photographs
from render_service.http.problem_pages import explain_problem
from render_service.http.problems import (
    Problem,
    describe_error,
    describe_fields,
    describe_status,
)
from render_service.http.product_writes import Products
from render_service.http.quotes import Quotes
from render_service.http.rates import RateWrites
from render_service.http.replies import ClientGone, instance_of
from render_service.http.stopping import announce_stop
from render_service.http.uploads import UploadRoutes
from render_service.http.warming import Warming
from render_service.http.webhooks import Webhooks
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner
from render_service.releases.follow import Follower
from render_service.releases.live import LivePlanner
from render_service.rendering.placeholders import Placeholders
from render_service.rendering.service import RenderService
from render_service.telemetry.running import Telemetry
from render_service.wiring import Selling, Uploading

BODY_BYTES_MAX = 64 * 1024
"""A selection of a hundred options is under 10 kB."""

_DESCRIPTION = """\
Configurations of jewellery as pictures.

Pictures themselves are not routes of this API: `GET` or `HEAD`
`/r/{composition}/{view}/{version}/{configuration}/{width}.{format}` is immutable, and
`/img/{composition}/{view}/{width}.{format}?option=value` leads to it from any spelling. Deep zoom
is the IIIF Image API 3.0, `/iiif/3/{identifier}/info.json`. Addresses are handed out ready made by
the manifest and by `resolve`.
"""

Asked = Request[None, None, State]

_ROUTES: Final = (
    Compositions,
    Products,
    Imports,
    RateWrites,
    Quotes,
    *DRAFT_ROUTES,
    Jobs,
    Warming,
    Webhooks,
    UploadRoutes,
    HealthRoutes,
    explain_problem,
)


def make_api(
    *,
    planner: LivePlanner,
    service: RenderService,
    telemetry: Telemetry,
    public_url: str = "",
    drain_s: float = 0.0,
    follower: Follower | None = None,
    foresight: Foresight,
    selling: Selling,
    workshop: Workshop | None = None,
    uploading: Uploading | None = None,
) -> Litestar:
    """Return the application.

    Args:
        planner: Plans pictures of the catalogue that is live.
        service: Finds or makes them; closed when the application stops.
        telemetry: Of this process; stopped last.
        public_url: Before every URL handed out; "" leaves them relative to the host.
        drain_s: How long readiness fails before the server stops, once it is asked to.
        follower: Keeps `planner` at what is published; None where it never changes.
        foresight: Knows what shoppers are likely to change to; closed with the service.
        selling: The shop and who may write; its database is closed with the service.
        workshop: Drafts of compositions; None where there are none.
        uploading: Receives files; None where there is no database.
    """
    placeholders = Placeholders()

    def manifests_of(planner: Planner) -> Manifests:
        return Manifests(planner=planner, placeholders=placeholders, public_url=public_url)

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        announce_stop(drain_s)
        async with (
            opened(planner, service, telemetry, follower, foresight),
            all_closed(selling.database, workshop, uploading),
            behind(keep_placeholders(planner, placeholders, service, manifests_of)),
        ):
            yield

    return Litestar(
        [*_ROUTES, *page_routes(public_url)],
        dependencies=_given_to_handlers(planner, service, public_url, manifests_of, foresight)
        | _given_to_sellers(selling, workshop, uploading, public_url),
        state=State({TOKENS: selling.tokens}),
        exception_handlers={ClientGone: _leave, HTTPException: _refuse, Exception: _fail},
        lifespan=[running],
        openapi_config=_openapi(),
        before_send=[name_methods],
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )


def _openapi() -> OpenAPIConfig:
    # Without the header, a cache would make up for itself how long the schema holds.
    router = Router(
        "/schema",
        route_handlers=[],
        response_headers={"cache-control": MANIFEST_CACHE_CONTROL},
        after_request=_no_page,
        include_in_schema=False,
    )
    return OpenAPIConfig(
        title="render-service",
        version="1",
        description=_DESCRIPTION,
        render_plugins=[OpenAPIDocument()],
        openapi_router=router,
    )


def _given_to_handlers(
    planner: LivePlanner,
    service: RenderService,
    public_url: str,
    manifests_of: Callable[[Planner], Manifests],
    foresight: Foresight,
) -> dict[str, Provide]:
    """By name; `planner` is one for all of a request, whatever is published meanwhile."""

    def next_clicks_of(planner: Planner) -> NextClicks:
        return NextClicks(planner=planner, popularity=foresight.popularity, public_url=public_url)

    return {
        "foresight": _given(foresight),
        "next_clicks": Provide(next_clicks_of, sync_to_thread=False),
        "planner": Provide(lambda: planner.current, sync_to_thread=False),
        "live_planner": _given(planner),
        "render_service": _given(service),
        "public_url": _given(public_url),
        "manifests": Provide(manifests_of, sync_to_thread=False),
    }


def _caller(request: Asked) -> Caller:
    return caller_of(request)


def _given_to_sellers(
    selling: Selling, workshop: Workshop | None, uploading: Uploading | None, public_url: str
) -> dict[str, Provide]:
    return {
        "shop": _given(selling.shop),
        "jobs": _given(selling.jobs),
        "webhooks": _given(selling.webhooks),
        "desk": Provide(selling.open_desk, sync_to_thread=False),
        "caller": Provide(_caller, sync_to_thread=False),
        "uploads": _given_uploads(uploading),
        "photographs": _given(_photographs(uploading, public_url)),
        "drafting": _given_where(workshop, lambda found: found.drafting),
        "draft_studio": _given_where(workshop, lambda found: found.studio),
        "publishing": _given_where(workshop, lambda found: found.publishing),
    }


def _given_where(workshop: Workshop | None, part: Callable[[Workshop], object]) -> Provide:
    async def provide() -> object:
        if workshop is None:
            raise NothingIsPublishedHere
        return part(workshop)

    return Provide(provide)


def _given(value: object) -> Provide:
    async def provide() -> object:
        return value

    return Provide(provide)


def _photographs(uploading: Uploading | None, public_url: str) -> Photographs:
    finder = uploading.photos if uploading else None
    return Photographs(finder, profiles=PROFILES, public_url=public_url)


def _given_uploads(uploading: Uploading | None) -> Provide:
    if uploading is not None:
        return _given(uploading.uploads)

    async def away() -> object:
        raise DatabaseUnavailable("there is none: RENDER_DATABASE_URL is empty")

    return Provide(away)


async def _no_page(response: Response[Any]) -> Response[Any]:
    """Litestar has a page of its own for what is not under the schema; ours is a problem."""
    if response.status_code == 404:
        raise NotFoundException("The schema is one document.")
    return response


def _leave(_: Asked, __: ClientGone) -> Response[bytes]:
    """Nobody reads it."""
    return Response(content=b"", status_code=400)


def _refuse(request: Asked, error: HTTPException) -> Response[bytes]:
    """What the framework refuses: no such route, wrong method, a body that is too large."""
    instance = instance_of(request.scope)
    if error.status_code >= 500:
        return _response(describe_error(error, instance))
    if error.status_code == 400:
        return _response(describe_fields(_fields(error), instance))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        detail = "The method is none of those that this address takes."
        return _response(describe_status(405, detail, instance, with_head(headers)))
    return _response(describe_status(error.status_code, error.detail, instance, headers))


def _fail(request: Asked, error: Exception) -> Response[bytes]:
    return _response(describe_error(error, instance_of(request.scope)))


def _fields(error: HTTPException) -> list[dict[str, str]]:
    extra = error.extra if isinstance(error, ValidationException) else None
    found = [
        {"field": str(item.get("key", "")), "problem": str(item.get("message", ""))}
        for item in (extra if isinstance(extra, list) else [])
        if isinstance(item, Mapping)
    ]
    return found or [{"field": "", "problem": error.detail}]


def _response(problem: Problem) -> Response[bytes]:
    headers = dict(problem.headers)
    media_type = headers.pop("content-type")
    return Response(
        content=problem.body, status_code=problem.status, media_type=media_type, headers=headers
    )

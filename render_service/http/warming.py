"""Drawing ahead by order: the likeliest pictures of a composition, before a campaign, say."""

from collections.abc import Mapping
from typing import Annotated, Final

from litestar import Controller, Response, post
from msgspec import Meta, Struct

from render_service.auth.scopes import Caller, Scope
from render_service.http.access import requires
from render_service.http.asked import refuse_query
from render_service.http.compositions import Asked
from render_service.http.drafted import read_json_or_nothing
from render_service.http.job_schemas import JobOut, describe_job
from render_service.http.stated import Operation, Stated
from render_service.jobs.ports import JobStore
from render_service.jobs.warming import SECONDS, SECONDS_MAX, order_warming
from render_service.planning.planner import Planner


class WarmIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long pictures are drawn ahead.

    Attributes:
        seconds: Nothing is begun after so long; the likeliest pictures come first.
    """

    seconds: Annotated[int, Meta(ge=1, le=SECONDS_MAX)] = SECONDS


class Warming(Controller):
    """`/v1/compositions/{composition}/warm`."""

    path = "/v1/compositions/{composition:str}/warm"
    tags = ("Compositions",)

    @post(
        status_code=202,
        summary="Draw a composition's pictures ahead",
        guards=[requires(Scope.RELEASE_PUBLISH)],
    )
    async def warm(
        self,
        request: Asked,
        composition: str,
        planner: Planner,
        jobs: JobStore,
        caller: Caller,
        public_url: str,
    ) -> Response[JobOut]:
        """A job: pictures of every view in AVIF and WebP, those that shoppers change to first."""
        refuse_query(request.scope["query_string"])
        asked: WarmIn = await read_json_or_nothing(request, WarmIn)
        name = planner.catalogue.composition(composition).id
        job = await jobs.order(order_warming(name, asked.seconds, caller.name))
        shown = describe_job(job, public_url)
        headers = {"cache-control": "no-store", "location": shown.href}
        return Response(content=shown, status_code=202, headers=headers)


WARMING: Final[Mapping[Operation, Stated]] = {
    ("/v1/compositions/{composition}/warm", "post"): Stated(
        problems=(400, 404, 413, 415, 503),
        body=WarmIn,
        body_needed=False,
        scope=Scope.RELEASE_PUBLISH,
    ),
}

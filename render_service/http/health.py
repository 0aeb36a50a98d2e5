"""Whether the process lives, has started and wants traffic.

Answered from what is in memory: health never waits behind a render, a tier or a disk.
"""

from typing import Final

from litestar import Controller, Response, get

from render_service.http.schemas import Health
from render_service.http.stopping import stopping
from render_service.products.shop import Shop
from render_service.releases.live import LivePlanner
from render_service.rendering.service import RenderService

_HEADERS: Final = {"cache-control": "no-store"}


class HealthRoutes(Controller):
    """`/livez`, `/startupz` and `/readyz`."""

    tags = ("Health",)

    @get("/livez", summary="Is the process alive?")
    async def alive(self) -> Response[Health]:
        """Touches nothing but the event loop."""
        return Response(content=Health(status="alive"), headers=_HEADERS)

    @get("/startupz", summary="Has the process started?")
    async def started(self) -> Response[Health]:
        """The catalogue is read before the first request is accepted, so an answer says yes."""
        return Response(content=Health(status="started"), headers=_HEADERS)

    @get("/readyz", summary="Does the process want traffic?")
    async def ready(
        self,
        render_service: RenderService,
        live_planner: LivePlanner,
        shop: Shop,
    ) -> Response[Health]:
        """503 once it was asked to stop; what is away behind it leaves it ready, but degraded."""
        if stopping.is_set():
            return Response(content=Health(status="stopping"), status_code=503, headers=_HEADERS)
        away = {"database"} if shop.is_away else set()
        unavailable = sorted(render_service.tiers.unavailable | live_planner.unavailable | away)
        health = Health(status="degraded" if unavailable else "ready", unavailable=unavailable)
        return Response(content=health, headers=_HEADERS)

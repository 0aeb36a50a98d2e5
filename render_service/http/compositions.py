"""The JSON API of compositions: list, manifest, resolve, explain.

Nothing here draws. A configuration that is not made is an answer (200 with `valid: false`), not an
error; what cannot be understood is a problem document that names the field.
"""

import hashlib
from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from msgspec import Struct

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import resolve
from render_service.composition.model import Composition
from render_service.http.asked import (
    read_explain,
    read_resolve,
    refuse_media_type,
    refuse_query,
)
from render_service.http.caching import is_current
from render_service.http.manifests import SRC_WIDTH_PX, Manifests, widest_within
from render_service.http.next_clicks import Foresight, NextClicks, check_hints
from render_service.http.replies import ClientGone
from render_service.http.schemas import (
    CompositionList,
    CompositionOut,
    ExplainOut,
    ResolveOut,
)
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path
from render_service.rendering.service import RenderService

MANIFEST_CACHE_CONTROL: Final = "public, max-age=60, stale-while-revalidate=600"
"""As fresh as the living alias, which changes with the same releases."""

Asked = Request[None, None, State]


async def _takes_no_query(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """Guard of the routes that are the same whatever is asked."""
    refuse_query(connection.scope["query_string"])


class Compositions(Controller):
    """Routes under `/v1/compositions`."""

    path = "/v1/compositions"
    tags = ("Compositions",)

    @get(summary="List the compositions", guards=[_takes_no_query])
    async def list_all(self, request: Asked, manifests: Manifests) -> Response[CompositionList]:
        """Every composition, with the address of its manifest."""
        return revalidated(request, manifests.list_all())

    @get(
        "/{composition:str}",
        summary="The manifest of a composition",
        guards=[_takes_no_query],
    )
    async def describe(
        self,
        request: Asked,
        composition: str,
        planner: Planner,
        manifests: Manifests,
        next_clicks: NextClicks,
    ) -> Response[CompositionOut]:
        """Options with swatches, rules, views with their versions, sizes and URL templates."""
        found = planner.catalogue.composition(composition)
        # A catalogue whose rules forbid its defaults is refused whole.
        beside = next_clicks.list_all(found, resolve(found, {}).configuration)
        return revalidated(request, manifests.describe(found, beside))

    @post(
        "/{composition:str}/resolve",
        status_code=200,
        summary="Resolve a selection",
        guards=[_takes_no_query],
    )
    async def resolve(
        self,
        request: Asked,
        composition: str,
        planner: Planner,
        manifests: Manifests,
        next_clicks: NextClicks,
        foresight: Foresight,
    ) -> ResolveOut:
        """Fill in defaults and check the rules; list what shoppers are likely to choose next.

        A configuration that is not made answers 200 with `valid: false`, the conflicts with their
        reasons, the nearest configuration that is made, and neither images nor neighbours.
        """
        refuse_media_type(request.headers.get("content-type"))
        asked = read_resolve(await body_of(request))
        found = planner.catalogue.composition(composition)
        check_hints(found, asked)
        resolution = resolve(found, asked.selection)
        if not resolution.valid:
            return manifests.resolve(found, resolution, [])
        beside = next_clicks.list_all(found, resolution.configuration, asked)
        foresight.after_resolve(found, resolution.configuration, asked)
        return manifests.resolve(found, resolution, beside)

    @get("/{composition:str}/explain", summary="Explain a picture")
    async def explain(
        self,
        request: Asked,
        composition: str,
        planner: Planner,
        render_service: RenderService,
        public_url: str,
    ) -> Response[ExplainOut]:
        """The plan of a picture: its layers, digests and paint, its key, and who holds it.

        Every query key but `view`, `region`, `width` and `format` is an option of the composition.
        """
        found = planner.catalogue.composition(composition)
        asked = read_explain(request.query_params.multi_items())
        shown = found.view(asked.view, asked.region)
        planned = planner.plan(
            RenderRequest(
                composition=composition,
                view=asked.view,
                region=asked.region,
                selection=asked.selection,
                width_px=asked.width_px or widest_within(shown, asked.region, SRC_WIDTH_PX),
                format=asked.format,
            )
        )
        in_memory = ["memory"] if planned.key in render_service.memory else []
        explained = ExplainOut(
            url=public_url + build_image_path(planned.image),
            key=planned.key,
            plan=planned.plan,
            files=_files(planner.catalogue, found, planned),
            held_by=[*in_memory, *await render_service.tiers.holders(planned.key)],
            timings=render_service.last_timings(planned.key),
        )
        # Who holds a picture, and how long it took, is true of this process and this moment.
        return Response(content=explained, headers={"cache-control": "no-store"})


async def body_of(request: Asked) -> bytes:
    """Return the request's body.

    Raises:
        ClientGone: The client left before it had sent all of it.
    """
    try:
        return await request.body()
    except InternalServerException as error:
        raise ClientGone from error


def revalidated(
    request: Asked, content: Struct, cache_control: str = MANIFEST_CACHE_CONTROL
) -> Response[Any]:
    """Return `content` with a strong ETag, or 304 where the client holds it."""
    body = msgspec.json.encode(content)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": cache_control}
    held = request.headers.get("if-none-match")
    if held is not None and is_current(held, etag):
        return Response(content=None, status_code=304, headers=headers)
    return Response(content=body, media_type="application/json", headers=headers)


def _files(catalogue: Catalogue, composition: Composition, planned: PlannedImage) -> dict[str, str]:
    drawn = {placement.asset for placement in planned.plan.placements}
    names = catalogue.assets[composition.id]
    return {digest: name for name, digest in names.items() if digest in drawn}

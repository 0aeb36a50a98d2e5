"""The JSON API of compositions: list, manifest, resolve, explain.

Nothing here draws. A configuration that is not made is an answer (200 with `valid: false`), not an
error; what cannot be understood is a problem document that names the field.
"""

import hashlib
from typing import Annotated, Any, Final, cast

import msgspec
from litestar import Controller, MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from msgspec import Struct

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import resolve
from render_service.composition.model import Composition
from render_service.errors import MalformedPath
from render_service.formats import Format
from render_service.http import problems
from render_service.http.caching import is_current
from render_service.http.manifests import SRC_WIDTH_PX, Manifests, widest_within
from render_service.http.schemas import (
    CompositionList,
    CompositionOut,
    ExplainOut,
    ProblemOut,
    ResolveIn,
    ResolveOut,
)
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import build_image_path
from render_service.rendering.service import RenderService

MANIFEST_CACHE_CONTROL: Final = "public, max-age=60, stale-while-revalidate=600"
"""As fresh as the living alias, which changes with the same releases."""

_EXPLAIN_KEYS: Final = frozenset(("view", "region", "width", "format"))

Asked = Request[None, None, State]


def _problem(description: str) -> ResponseSpec:
    return ResponseSpec(
        data_container=ProblemOut,
        description=description,
        generate_examples=False,
        # Litestar's enumeration of media types is not closed: it takes any text.
        media_type=cast(MediaType, problems.MEDIA_TYPE),
    )


_NOT_FOUND: Final = {404: _problem("No such composition, view or region")}
_REFUSED: Final = {
    400: _problem("What was sent is not of the form"),
    422: _problem("No such option or value, or a combination that is not made"),
}


_SELECTION: Final = Example(
    summary="Two options chosen, the others left to their defaults",
    value={"selection": {"metal": "rose-gold-18k", "gem": "ruby"}},
)


class Compositions(Controller):
    """Routes under `/v1/compositions`."""

    path = "/v1/compositions"
    tags = ("Compositions",)

    @get(summary="List the compositions")
    async def list_all(self, request: Asked, manifests: Manifests) -> Response[CompositionList]:
        """Every composition, with the address of its manifest."""
        return _revalidated(request, manifests.list_all())

    @get("/{composition:str}", summary="The manifest of a composition", responses=_NOT_FOUND)
    async def describe(
        self, request: Asked, composition: str, planner: Planner, manifests: Manifests
    ) -> Response[CompositionOut]:
        """Options with swatches, rules, views with their versions, sizes and URL templates."""
        found = planner.catalogue.composition(composition)
        return _revalidated(request, manifests.describe(found))

    @post(
        "/{composition:str}/resolve",
        status_code=200,
        summary="Resolve a selection",
        responses={**_NOT_FOUND, **_REFUSED},
    )
    async def resolve(
        self,
        composition: str,
        data: Annotated[ResolveIn, Body(examples=[_SELECTION])],
        planner: Planner,
        manifests: Manifests,
    ) -> ResolveOut:
        """Fill in defaults and check the rules.

        A configuration that is not made answers 200 with `valid: false`, the conflicts with their
        reasons, the nearest configuration that is made, and no images.
        """
        found = planner.catalogue.composition(composition)
        return manifests.resolve(found, resolve(found, data.selection))

    @get(
        "/{composition:str}/explain",
        summary="Explain a picture",
        # Who holds a picture, and how long it took, is true of this process and this moment.
        response_headers={"cache-control": "no-store"},
        responses={**_NOT_FOUND, **_REFUSED},
    )
    async def explain(
        self,
        request: Asked,
        composition: str,
        view: str,
        planner: Planner,
        render_service: RenderService,
        public_url: str,
        region: str | None = None,
        width: Annotated[int | None, Parameter(ge=1, le=65_535)] = None,
        format_: Annotated[Format, Parameter(query="format")] = Format.WEBP,
    ) -> ExplainOut:
        """The plan of a picture: its layers, digests and paint, its key, and who holds it.

        Every query key but `view`, `region`, `width` and `format` is an option of the composition.
        """
        found = planner.catalogue.composition(composition)
        shown = found.view(view, region)
        asked = RenderRequest(
            composition=composition,
            view=view,
            region=region,
            selection=_selection(request),
            width_px=width or widest_within(shown, region, SRC_WIDTH_PX),
            format=format_,
        )
        planned = planner.plan(asked)
        in_memory = ["memory"] if planned.key in render_service.memory else []
        return ExplainOut(
            url=public_url + build_image_path(planned.image),
            key=planned.key,
            plan=planned.plan,
            files=_files(planner.catalogue, found, planned),
            held_by=[*in_memory, *await render_service.tiers.holders(planned.key)],
            timings=render_service.last_timings(planned.key),
        )


def _revalidated(request: Asked, content: Struct) -> Response[Any]:
    """Return `content` with a strong ETag, or 304 where the client holds it."""
    body = msgspec.json.encode(content)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": MANIFEST_CACHE_CONTROL}
    held = request.headers.get("if-none-match")
    if held is not None and is_current(held, etag):
        return Response(content=None, status_code=304, headers=headers)
    return Response(content=body, media_type="application/json", headers=headers)


def _selection(request: Asked) -> tuple[tuple[str, str], ...]:
    """The options in the query; one given twice is refused, whichever would have won."""
    selection: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        if key in selection:
            raise MalformedPath("query", key, "each option once")
        if key not in _EXPLAIN_KEYS:
            selection[key] = str(value)
    return tuple(selection.items())


def _files(catalogue: Catalogue, composition: Composition, planned: PlannedImage) -> dict[str, str]:
    drawn = {placement.asset for placement in planned.plan.placements}
    names = catalogue.assets[composition.id]
    return {digest: name for name, digest in names.items() if digest in drawn}

"""The JSON API of the parts of a draft: its layers and options, its check, its preview.

What a part is written as is checked for its own shape at once; how it fits the others is told with
the answer, as for the whole.
"""

from typing import Any

import msgspec
from litestar import Controller, Response, delete, get, post, put

from render_service.auth.scopes import Caller, Scope
from render_service.composition.definition import (
    LayerDefinition,
    OptionDefinition,
)
from render_service.composition.faults import Faults
from render_service.drafts.documents import check_document
from render_service.drafts.drafting import Drafting
from render_service.drafts.editing import drop_layer, drop_option, put_layer, put_option
from render_service.drafts.studio import DraftStudio
from render_service.errors import UnknownPreview
from render_service.http.access import requires
from render_service.http.asked import invalid, refuse_query
from render_service.http.compositions import Asked
from render_service.http.draft_manifests import DraftManifests
from render_service.http.draft_schemas import CheckedOut, DraftHead, PreviewOut
from render_service.http.drafted import (
    check_draft_id,
    check_id,
    read_json,
    read_number,
    read_revision,
)
from render_service.http.drafts import NOT_KEPT, answer_head, describe_preview
from render_service.http.schemas import CompositionOut


class DraftParts(Controller):
    """Routes under `/v1/drafts/{draft}`."""

    path = "/v1/drafts/{draft:str}"
    tags = ("Drafts",)
    guards = (requires(Scope.CATALOGUE_WRITE),)

    @put("/layers/{view:str}/{number:str}", summary="Write a layer of a draft")
    async def put_layer(
        self,
        request: Asked,
        draft: str,
        view: str,
        number: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """Layers are counted from 0, the lowest one; the number behind the last adds one."""
        refuse_query(request.scope["query_string"])
        revision, place = read_revision(request), read_number(number, "number of a layer")
        layer = await _read_part(request, LayerDefinition, "layer")
        ready = await drafting.edit(
            check_draft_id(draft),
            revision,
            lambda documents: put_layer(documents, view, place, layer),
            caller.name,
        )
        return answer_head(drafting, ready, public_url)

    @delete("/layers/{view:str}/{number:str}", status_code=200, summary="Take a layer out")
    async def drop_layer(
        self,
        request: Asked,
        draft: str,
        view: str,
        number: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """Those above it move down by one."""
        refuse_query(request.scope["query_string"])
        revision, place = read_revision(request), read_number(number, "number of a layer")
        ready = await drafting.edit(
            check_draft_id(draft),
            revision,
            lambda documents: drop_layer(documents, view, place),
            caller.name,
        )
        return answer_head(drafting, ready, public_url)

    @put("/options/{option:str}", summary="Write an option of a draft")
    async def put_option(
        self,
        request: Asked,
        draft: str,
        option: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """In its place, or behind the others: their order is that of URLs."""
        refuse_query(request.scope["query_string"])
        revision, name = read_revision(request), check_id(option, "option")
        defined = await _read_part(request, OptionDefinition, "option")
        ready = await drafting.edit(
            check_draft_id(draft),
            revision,
            lambda documents: put_option(documents, name, defined),
            caller.name,
        )
        return answer_head(drafting, ready, public_url)

    @delete("/options/{option:str}", status_code=200, summary="Take an option out")
    async def drop_option(
        self,
        request: Asked,
        draft: str,
        option: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """What still names it is told as a fault."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        ready = await drafting.edit(
            check_draft_id(draft),
            revision,
            lambda documents: drop_option(documents, option),
            caller.name,
        )
        return answer_head(drafting, ready, public_url)

    @post("/check", status_code=200, summary="Check a draft")
    async def check(
        self, request: Asked, draft: str, drafting: Drafting, draft_studio: DraftStudio
    ) -> Response[CheckedOut]:
        """Everything wrong with its documents; where nothing is, with a sample of its pictures."""
        refuse_query(request.scope["query_string"])
        ready = await drafting.get(check_draft_id(draft))
        if ready.planner is None:
            found = CheckedOut(
                revision=ready.draft.revision,
                faults=list(ready.reading.faults),
                fault_count=ready.reading.count,
                drawn=0,
                complete=False,
            )
        else:
            checked = await draft_studio.check(ready)
            found = CheckedOut(
                revision=ready.draft.revision,
                faults=list(checked.faults),
                fault_count=len(checked.faults),
                drawn=checked.drawn,
                complete=checked.complete,
            )
        return Response(content=found, headers=NOT_KEPT)

    @get("/manifest", summary="The manifest of a draft")
    async def manifest(
        self, request: Asked, draft: str, drafting: Drafting, public_url: str
    ) -> Response[CompositionOut]:
        """As that of a live composition, with addresses of its preview."""
        refuse_query(request.scope["query_string"])
        ready = await drafting.get(check_draft_id(draft))
        planner = ready.sound()
        preview = describe_preview(drafting, ready, public_url)
        if preview is None:
            raise UnknownPreview
        manifests = DraftManifests(planner=planner, preview_url=preview.url)
        found = planner.catalogue.composition(ready.draft.composition)
        return Response(content=manifests.describe(found, []), headers=NOT_KEPT)

    @post("/preview", status_code=200, summary="Give a draft other preview addresses")
    async def renew_preview(
        self, request: Asked, draft: str, caller: Caller, drafting: Drafting, public_url: str
    ) -> Response[PreviewOut]:
        """Those of before end at once."""
        refuse_query(request.scope["query_string"])
        ready = await drafting.renew_preview(check_draft_id(draft), caller.name)
        preview = describe_preview(drafting, ready, public_url)
        if preview is None:
            raise UnknownPreview
        return Response(content=preview, headers=NOT_KEPT)

    @delete("/preview", summary="End the preview addresses of a draft")
    async def revoke_preview(
        self, request: Asked, draft: str, caller: Caller, drafting: Drafting
    ) -> None:
        """At once, and until its next revision, or until others are asked for."""
        refuse_query(request.scope["query_string"])
        await drafting.revoke_preview(check_draft_id(draft), caller.name)


async def _read_part(request: Asked, shape: type[msgspec.Struct], field: str) -> dict[str, Any]:
    """Return a table of a definition, which may be wrong in nothing but what it names."""
    part: dict[str, Any] = await read_json(request, dict[str, Any])
    spelled = check_document(part, field)
    if spelled:
        raise invalid(spelled)
    faults = Faults(field)
    faults.read(part, shape, "")
    if faults.found:
        raise invalid([(fault.key or field, fault.problem) for fault in faults.found])
    return part

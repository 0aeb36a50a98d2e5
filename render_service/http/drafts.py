"""The JSON API of drafts: begun, read, changed part by part, and forgotten.

Every change says which revision it knows of (`If-Match`), and answers what the draft then lacks:
a draft may have faults for as long as it is worked on.
"""

from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response, delete, get, post, put
from msgspec.structs import replace

from render_service.auth.scopes import Caller, Scope
from render_service.drafts.documents import check_size
from render_service.drafts.drafting import Beginning, Drafting, Ready
from render_service.drafts.editing import drop_asset
from render_service.drafts.model import DEFINITION, MATERIALS, Documents, Mark, Place
from render_service.drafts.ports import Edit
from render_service.http.access import requires
from render_service.http.asked import refuse_query
from render_service.http.compositions import Asked
from render_service.http.draft_schemas import (
    AssetIn,
    DocumentsIn,
    DraftHead,
    DraftList,
    DraftListed,
    DraftOut,
    MarkOut,
    PreviewOut,
)
from render_service.http.drafted import (
    BODY_BYTES_MAX,
    check_asset,
    check_draft_id,
    read_cursor,
    read_document,
    read_documents_in,
    read_draft_in,
    read_json,
    read_limit,
    read_query,
    read_revision,
    spell_cursor,
)
from render_service.planning.url import PREVIEW_PREFIX

LIST_KEYS: Final = ("limit", "cursor")
NOT_KEPT: Final = {"cache-control": "no-store"}


class Drafts(Controller):
    """Routes under `/v1/drafts`."""

    path = "/v1/drafts"
    tags = ("Drafts",)
    guards = (requires(Scope.CATALOGUE_WRITE),)

    @post(summary="Begin a draft", request_max_body_size=BODY_BYTES_MAX)
    async def begin(
        self, request: Asked, caller: Caller, drafting: Drafting, public_url: str
    ) -> Response[DraftHead]:
        """Of a live composition, or of a definition that is given."""
        refuse_query(request.scope["query_string"])
        asked = await read_draft_in(request)
        beginning = Beginning(
            composition=asked.composition,
            like=asked.like,
            definition=asked.definition,
            materials=asked.materials,
            assets=asked.assets,
        )
        ready = await drafting.begin(beginning, caller.name)
        answer = answer_head(drafting, ready, public_url, status=201)
        answer.headers["location"] = f"{public_url}/v1/drafts/{ready.draft.id}"
        return answer

    @get(summary="List the drafts")
    async def list_all(
        self, request: Asked, drafting: Drafting, public_url: str
    ) -> Response[DraftList]:
        """The last changed first. `limit` (20, at most 100), and `cursor`, as `next` holds it."""
        asked = read_query(request, LIST_KEYS)
        page = await drafting.list_all(read_limit(asked), read_cursor(asked, Place))
        following = None
        if page.next is not None:
            query = urlencode({**asked, "cursor": spell_cursor(page.next)})
            following = f"{public_url}/v1/drafts?{query}"
        listed = [
            DraftListed(
                id=one.id,
                composition=one.composition,
                href=f"{public_url}/v1/drafts/{one.id}",
                base=one.base,
                revision=one.revision,
                created=_mark(one.created),
                updated=_mark(one.updated),
            )
            for one in page.items
        ]
        return Response(content=DraftList(drafts=listed, next=following), headers=NOT_KEPT)

    @get("/{draft:str}", summary="A draft")
    async def show(
        self, request: Asked, draft: str, drafting: Drafting, public_url: str
    ) -> Response[DraftOut]:
        """Its documents as they were written, and what is wrong with them."""
        refuse_query(request.scope["query_string"])
        ready = await drafting.get(check_draft_id(draft))
        documents = ready.draft.documents
        head = describe_head(drafting, ready, public_url)
        shown = DraftOut(
            **{field: getattr(head, field) for field in head.__struct_fields__},
            definition=dict(documents.definition),
            materials=dict(documents.materials),
            assets=dict(documents.assets),
        )
        return Response(content=shown, headers=headers_of(ready))

    @put("/{draft:str}", summary="Write a draft", request_max_body_size=BODY_BYTES_MAX)
    async def write(
        self, request: Asked, draft: str, caller: Caller, drafting: Drafting, public_url: str
    ) -> Response[DraftHead]:
        """Its documents; what is left out stays as it is."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        asked = await read_documents_in(request)
        await drafting.check_stored(asked.assets or {})
        ready = await drafting.edit(check_draft_id(draft), revision, _written(asked), caller.name)
        return answer_head(drafting, ready, public_url)

    @put(
        "/{draft:str}/definition",
        summary="Write the definition of a draft",
        request_max_body_size=BODY_BYTES_MAX,
    )
    async def write_definition(
        self, request: Asked, draft: str, caller: Caller, drafting: Drafting, public_url: str
    ) -> Response[DraftHead]:
        """As `composition.toml`, or the same in JSON."""
        ready = await _write_document(request, draft, DEFINITION, caller, drafting)
        return answer_head(drafting, ready, public_url)

    @put(
        "/{draft:str}/materials",
        summary="Write the materials of a draft",
        request_max_body_size=BODY_BYTES_MAX,
    )
    async def write_materials(
        self, request: Asked, draft: str, caller: Caller, drafting: Drafting, public_url: str
    ) -> Response[DraftHead]:
        """As `materials.toml`, or the same in JSON."""
        ready = await _write_document(request, draft, MATERIALS, caller, drafting)
        return answer_head(drafting, ready, public_url)

    @delete("/{draft:str}", summary="Forget a draft")
    async def forget(self, request: Asked, draft: str, caller: Caller, drafting: Drafting) -> None:
        """Its layer files stay stored: others may have them, too."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        await drafting.drafts.delete(check_draft_id(draft), revision, caller.name)

    @put("/{draft:str}/assets/{name:path}", summary="Give a draft a layer file")
    async def put_asset(
        self,
        request: Asked,
        draft: str,
        name: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """One that was uploaded, under the name that the definition calls it by."""
        refuse_query(request.scope["query_string"])
        revision = read_revision(request)
        asked: AssetIn = await read_json(request, AssetIn)
        called = name.removeprefix("/")
        check_asset(called, asked.sha256)
        ready = await drafting.put_asset(
            check_draft_id(draft), revision, called, asked.sha256, caller.name
        )
        return answer_head(drafting, ready, public_url)

    @delete("/{draft:str}/assets/{name:path}", status_code=200, summary="Take a layer file away")
    async def drop_asset(
        self,
        request: Asked,
        draft: str,
        name: str,
        caller: Caller,
        drafting: Drafting,
        public_url: str,
    ) -> Response[DraftHead]:
        """From the draft; it stays stored."""
        refuse_query(request.scope["query_string"])
        called = name.removeprefix("/")
        revision = read_revision(request)
        ready = await drafting.edit(
            check_draft_id(draft),
            revision,
            lambda documents: drop_asset(documents, called),
            caller.name,
        )
        return answer_head(drafting, ready, public_url)


def describe_head(drafting: Drafting, ready: Ready, public_url: str) -> DraftHead:
    """Return a draft without its documents."""
    draft, reading = ready.draft, ready.reading
    return DraftHead(
        id=draft.id,
        composition=draft.composition,
        href=f"{public_url}/v1/drafts/{draft.id}",
        base=draft.base,
        revision=draft.revision,
        created=_mark(draft.created),
        updated=_mark(draft.updated),
        faults=list(reading.faults),
        fault_count=reading.count,
        unfitting_qualities=reading.unfitting,
        preview=describe_preview(drafting, ready, public_url),
    )


def describe_preview(drafting: Drafting, ready: Ready, public_url: str) -> PreviewOut | None:
    """Return where the pictures of a draft are shown; None where nobody is to see them."""
    preview = ready.draft.preview
    if preview is None:
        return None
    url = f"{public_url}{PREVIEW_PREFIX}{drafting.previews.spell(preview)}"
    return PreviewOut(url=url, until=preview.until)


def answer_head(
    drafting: Drafting, ready: Ready, public_url: str, *, status: int = 200
) -> Response[DraftHead]:
    """Return the answer to a change."""
    return Response(
        content=describe_head(drafting, ready, public_url),
        status_code=status,
        headers=headers_of(ready),
    )


def headers_of(ready: Ready) -> dict[str, str]:
    """Return the headers of an answer with a draft."""
    return {**NOT_KEPT, "etag": f'"{ready.draft.revision}"'}


async def _write_document(
    request: Asked, draft: str, document: str, caller: Caller, drafting: Drafting
) -> Ready:
    refuse_query(request.scope["query_string"])
    revision = read_revision(request)
    given = await read_document(request, document)
    edit = _written(DocumentsIn(**{document: dict(given)}))
    return await drafting.edit(check_draft_id(draft), revision, edit, caller.name)


def _written(asked: DocumentsIn) -> Edit:
    given: dict[str, Any] = {
        field: value
        for field in asked.__struct_fields__
        if (value := getattr(asked, field)) is not None
    }

    def edit(documents: Documents) -> Documents:
        changed = replace(documents, **given)
        check_size(changed)
        return changed

    return edit


def _mark(mark: Mark) -> MarkOut:
    return MarkOut(who=mark.who, at=mark.at)

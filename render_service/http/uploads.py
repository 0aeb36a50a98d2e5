"""The JSON API of uploads: begin, complete, look, and the facts of what was accepted.

No file passes through here: a form is handed out, and what it brought is checked by a job.
"""

from typing import Final

from litestar import Controller, Response, get, post

from render_service.assets.uploads import Uploads
from render_service.auth.scopes import Caller, Scope
from render_service.http.access import requires
from render_service.http.asked import (
    invalid,
    read_body,
    refuse_media_type,
    refuse_query,
)
from render_service.http.compositions import Asked, body_of
from render_service.http.upload_schemas import (
    AssetOut,
    UploadBegun,
    UploadIn,
    UploadOut,
    asset_out,
    begun_out,
    upload_out,
)

_NOT_KEPT: Final = {"cache-control": "no-store"}


class UploadRoutes(Controller):
    """Routes under `/v1/assets`."""

    path = "/v1/assets"
    tags = ("Assets",)
    guards = (requires(Scope.ASSET_WRITE),)

    @post("/uploads", status_code=201, summary="Begin an upload")
    async def begin(
        self,
        request: Asked,
        caller: Caller,
        uploads: Uploads,
        public_url: str,
    ) -> Response[UploadBegun]:
        """A form that the file is posted with, within ten minutes, straight to where it is kept.

        Complete the upload when the form was answered with 204.
        """
        refuse_query(request.scope["query_string"])
        refuse_media_type(request.headers.get("content-type"))
        asked: UploadIn = read_body(await body_of(request), UploadIn)
        if asked.bytes > uploads.bytes_max:
            problem = f"{asked.bytes} is over {uploads.bytes_max}, the most a file may have"
            raise invalid([("bytes", problem)])
        upload, form = await uploads.begin(asked.announced(), caller.name)
        begun = begun_out(upload, form, public_url)
        return Response(content=begun, headers={**_NOT_KEPT, "location": begun.href})

    @post("/uploads/{upload:str}/complete", status_code=202, summary="Have an upload checked")
    async def complete(
        self, request: Asked, upload: str, caller: Caller, uploads: Uploads, public_url: str
    ) -> Response[UploadOut]:
        """Order the job that checks the file; one that was ordered or done stays as it is."""
        refuse_query(request.scope["query_string"])
        found = await uploads.complete(upload, caller.name)
        return Response(content=upload_out(found, public_url), headers=_NOT_KEPT)

    @get("/uploads/{upload:str}", summary="An upload")
    async def show(
        self, request: Asked, upload: str, uploads: Uploads, public_url: str
    ) -> Response[UploadOut]:
        """Where it stands; a file that was refused has its reason."""
        refuse_query(request.scope["query_string"])
        found = await uploads.get(upload)
        return Response(content=upload_out(found, public_url), headers=_NOT_KEPT)

    @get("/{sha256:str}", summary="An accepted file")
    async def show_asset(
        self, request: Asked, sha256: str, uploads: Uploads, public_url: str
    ) -> Response[AssetOut]:
        """What was found in it. Layers of drafts, and media of products, name it by its digest."""
        refuse_query(request.scope["query_string"])
        found = await uploads.get_asset(sha256)
        return Response(content=asset_out(found, public_url), headers=_NOT_KEPT)

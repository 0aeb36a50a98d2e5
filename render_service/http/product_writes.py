"""The back office's side of the JSON API of products: the stored documents, and changes of them.

What is stored is a document, and its ETag is its revision: who reads it, changes it and puts it
back loses no field, and overwrites nobody.
"""

from typing import Any, Final

import msgspec
from litestar import Response, delete, get, patch, post, put

from render_service.adapters.idempotency_table import Answer
from render_service.adapters.product_desk import Desk
from render_service.auth.scopes import Caller, Scope
from render_service.http.access import requires
from render_service.http.asked import read_json, refuse_media_type, refuse_query
from render_service.http.compositions import Asked, body_of
from render_service.http.preconditions import (
    NOT_KEPT,
    answered,
    position_header,
    read_expected,
    read_once,
)
from render_service.http.products import ProductsShown
from render_service.http.stated_writes import MERGE_PATCH
from render_service.planning.planner import Planner
from render_service.products.accept import accept, merge_patch
from render_service.products.parse import PRODUCT_BYTES_MAX
from render_service.products.ports import Expected, Stored, etag_of

_MAY_WRITE: Final = [requires(Scope.CATALOGUE_WRITE)]


class Products(ProductsShown):
    """Routes under `/v1/products`: those of shoppers, and those of the back office.

    One class, as the framework takes all methods of an address from one.
    """

    request_max_body_size = PRODUCT_BYTES_MAX

    @post(summary="Create a product", guards=_MAY_WRITE)
    async def create(
        self, request: Asked, desk: Desk, caller: Caller, planner: Planner, public_url: str
    ) -> Response[bytes]:
        """Keep a product that is not there yet; `Idempotency-Key` makes it safe to send again."""
        raw, body = await _document(request)
        product = accept(raw, planner.catalogue)
        made = f"{public_url}/v1/products/{product.id}"
        once = read_once(request, caller.name, body)
        answer, position = await desk.create(
            product, caller.name, once, lambda stored: _created(stored, made)
        )
        return answered(answer, position)

    @get("/{product:str}/document", summary="A product as it is stored", guards=_MAY_WRITE)
    async def document(self, request: Asked, product: str, desk: Desk) -> Response[bytes]:
        """The document, whatever its status; what is put back is this, changed."""
        refuse_query(request.scope["query_string"])
        return _shown(await desk.read(product))

    @put("/{product:str}", summary="Make a product what is sent", guards=_MAY_WRITE)
    async def replace(
        self,
        request: Asked,
        product: str,
        desk: Desk,
        caller: Caller,
        planner: Planner,
        public_url: str,
    ) -> Response[bytes]:
        """The desired state: all of it. `If-Match` its ETag, or `If-None-Match: *` to create it."""
        raw, _ = await _document(request)
        expected = read_expected(request, creates=True)
        wanted = accept(raw, planner.catalogue, product)
        stored, is_new, position = await desk.put(wanted, expected, caller.name)
        if not is_new:
            return _shown(stored, position)
        return _shown(stored, position, 201, location=f"{public_url}/v1/products/{product}")

    @patch("/{product:str}", summary="Change fields of a product", guards=_MAY_WRITE)
    async def change(
        self, request: Asked, product: str, desk: Desk, caller: Caller, planner: Planner
    ) -> Response[bytes]:
        """A JSON Merge Patch (RFC 7396): what is named is replaced, null removes. `If-Match`."""
        raw, _ = await _document(request, MERGE_PATCH)
        expected = read_expected(request)
        held = await desk.read(product)
        if expected.anything:
            # What was patched is what was read.
            expected = Expected(revisions=frozenset({held.revision}))
        merged = merge_patch(msgspec.to_builtins(held.product), raw)
        stored, _, position = await desk.put(
            accept(merged, planner.catalogue, product), expected, caller.name
        )
        return _shown(stored, position)

    @delete("/{product:str}", status_code=204, summary="Archive a product", guards=_MAY_WRITE)
    async def archive(
        self, request: Asked, product: str, desk: Desk, caller: Caller
    ) -> Response[None]:
        """Off sale for good. Its document stays: quotes name its revisions. `If-Match`."""
        refuse_query(request.scope["query_string"])
        stored, position = await desk.archive(product, read_expected(request), caller.name)
        headers = {"etag": etag_of(stored.revision), **NOT_KEPT, **position_header(position)}
        return Response(content=None, status_code=204, headers=headers)


async def _document(request: Asked, media_type: str = "application/json") -> tuple[Any, bytes]:
    """Return the JSON that was sent, and its bytes."""
    refuse_query(request.scope["query_string"])
    refuse_media_type(request.headers.get("content-type"), media_type)
    body = await body_of(request)
    return read_json(body), body


def _created(stored: Stored, made: str) -> Answer:
    return Answer(
        status=201,
        headers={"location": made, "etag": etag_of(stored.revision)},
        body=msgspec.json.encode(stored.product),
    )


def _shown(
    stored: Stored, position: str = "", status: int = 200, **headers: str
) -> Response[bytes]:
    after = position_header(position) if position else {}
    return Response(
        content=msgspec.json.encode(stored.product),
        status_code=status,
        media_type="application/json",
        headers={"etag": etag_of(stored.revision), **NOT_KEPT, **after, **headers},
    )

"""The JSON API of imports and exports: products of a whole file at once.

The rule: a file is never held whole by a process, on its way in or out; what is exported is what an
import of it would write.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.exceptions import HTTPException
from litestar.response import Stream
from msgspec import Struct

from render_service.adapters.idempotency_table import Answer, Once
from render_service.adapters.import_table import Import, ImportTable, new_import_id
from render_service.adapters.product_desk import Desk
from render_service.auth.scopes import Caller, Scope
from render_service.http.access import requires
from render_service.http.asked import refuse_query, wrong
from render_service.http.compositions import Asked
from render_service.http.preconditions import NOT_KEPT, answered, read_once
from render_service.http.product_query import read_query
from render_service.products.rows import RowFormat, spell_header, spell_row

IMPORT_BYTES_MAX: Final = 256 << 20
"""The largest file: 100,000 products of 2.5 kB."""

_MAY_WRITE: Final = [requires(Scope.CATALOGUE_WRITE)]
_POLICIES: Final = ("reject-all", "reject-rows")
_FORMATS: Final = {"ndjson": RowFormat.JSON_LINES, "csv": RowFormat.CSV}


class ImportOut(Struct, frozen=True, kw_only=True):
    """An import that was ordered.

    Attributes:
        job: Its job: `/v1/jobs/{job}` says how far it is, and how many rows had which outcome.
        href: The job's address.
        report: The address of what came of each row.
    """

    job: str
    href: str
    report: str


class Imports(Controller):
    """Routes under `/v1/products/imports`, and `/v1/products/export`."""

    path = "/v1/products"
    tags = ("Products",)

    @post(
        "/imports",
        status_code=202,
        summary="Import products",
        guards=_MAY_WRITE,
        request_max_body_size=IMPORT_BYTES_MAX,
    )
    async def order(
        self, request: Asked, desk: Desk, caller: Caller, public_url: str
    ) -> Response[bytes]:
        """Write the products of a file, CSV or JSON lines, in the background.

        `on_error`: `reject-all` (the default) writes nothing if a row is refused, `reject-rows`
        leaves those out. `dry_run=true` writes nothing. A product that is there is replaced.
        """
        asked = read_query(request, ("on_error", "dry_run"))
        file = Import(
            id=new_import_id(),
            format=_read_media_type(request.headers.get("content-type")),
            reject_all=_read_choice(asked, "on_error", _POLICIES) == "reject-all",
            dry_run=_read_choice(asked, "dry_run", ("false", "true")) == "true",
            ordered_by=caller.name,
        )

        def once_of(digest: bytes) -> Once | None:
            return read_once(request, caller.name, digest)

        def answer(job: str) -> Answer:
            out = ImportOut(
                job=job,
                href=f"{public_url}/v1/jobs/{job}",
                report=f"{public_url}/v1/products/imports/{job}/report",
            )
            return Answer(status=202, headers={"location": out.href}, body=msgspec.json.encode(out))

        files = ImportTable(desk.database)
        return answered(*await files.receive(file, request.stream(), once_of, answer))

    @get("/imports/{job:str}/report", summary="What came of each row", guards=_MAY_WRITE)
    async def report(self, request: Asked, job: str, desk: Desk) -> Stream:
        """JSON lines in the order of the file: `line`, `product`, `outcome`, and `faults`."""
        refuse_query(request.scope["query_string"])
        files = ImportTable(desk.database)
        found = files.outcomes(await files.find(job))

        async def lines() -> AsyncIterator[bytes]:
            async for outcome in found:
                yield msgspec.json.encode(outcome) + b"\n"

        return Stream(lines(), media_type=RowFormat.JSON_LINES, headers=NOT_KEPT)

    @get("/export", summary="Export all products", guards=_MAY_WRITE)
    async def export(self, request: Asked, desk: Desk) -> Stream:
        """Every product whatever its status, as a file that an import makes the same of.

        `format`: `ndjson` (the default) or `csv`.
        """
        asked = read_query(request, ("format",))
        format_ = _FORMATS[_read_choice(asked, "format", tuple(_FORMATS))]

        async def rows() -> AsyncIterator[bytes]:
            if format_ is RowFormat.CSV:
                yield spell_header()
            async for product in desk.every_product():
                yield spell_row(product, format_)

        name = f'attachment; filename="products.{asked.get("format", "ndjson")}"'
        headers = {**NOT_KEPT, "content-disposition": name}
        return Stream(rows(), media_type=format_, headers=headers)


def _read_media_type(given: str | None) -> RowFormat:
    # What says nothing is taken for JSON lines, as everywhere for JSON.
    name = (given or RowFormat.JSON_LINES).partition(";")[0].strip().lower()
    if name not in list(RowFormat):
        offered = ", ".join(RowFormat)
        raise HTTPException(
            detail=f"The body is sent as {name[:100]!r}; expected one of {offered}.",
            status_code=415,
            headers={"accept-post": offered},
        )
    return RowFormat(name)


def _read_choice(asked: Mapping[str, str], key: str, offered: tuple[str, ...]) -> str:
    given = asked.get(key, offered[0])
    if given not in offered:
        raise wrong(key, f"{given[:100]!r}; expected one of {', '.join(offered)}")
    return given

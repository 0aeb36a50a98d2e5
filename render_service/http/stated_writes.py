"""What is stated of the routes that write products and rates."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from render_service.auth.scopes import Scope
from render_service.http.stated import JSON, Operation, Stated, header, query_key
from render_service.products.model import Product
from render_service.products.rates import Rate
from render_service.products.rows import RowFormat

MERGE_PATCH: Final = "application/merge-patch+json"
_PRODUCT: Final = "/v1/products/{product}"


class ProductPatch(Struct, frozen=True):
    """Fields of a product (RFC 7396): what is named is replaced, and null removes."""


class RateList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rates there are, were and will be."""

    rates: list[Rate]


_MATCH: Final = header("If-Match", {"type": "string"}, "The ETag of what is to be changed, or `*`")
_NONE: Final = header(
    "If-None-Match", {"type": "string", "const": "*"}, "Create it, if it is not there"
)
KEY: Final = header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "Of this request and no other: sent again within a day, it has one effect",
)
_DOCUMENT: Final = {JSON: {"$ref": "#/components/schemas/Product"}}
_IMPORT: Final = {
    "type": "object",
    "required": ["job", "href", "report"],
    "properties": {name: {"type": "string"} for name in ("job", "href", "report")},
}
_CHANGES: Final = (400, 412, 428, 502, 503)

WRITES: Final[Mapping[Operation, Stated]] = {
    ("/v1/products", "post"): Stated(
        problems=(400, 409, 413, 415, 422, 503),
        body=Product,
        answers=_DOCUMENT,
        headers=(KEY,),
        scope=Scope.CATALOGUE_WRITE,
    ),
    (_PRODUCT, "put"): Stated(
        problems=(*_CHANGES, 413, 415, 422),
        body=Product,
        answers=_DOCUMENT,
        headers=(_MATCH, _NONE),
        creates=True,
        scope=Scope.CATALOGUE_WRITE,
    ),
    (_PRODUCT, "patch"): Stated(
        problems=(*_CHANGES, 404, 413, 415, 422),
        body=ProductPatch,
        media=(MERGE_PATCH,),
        answers=_DOCUMENT,
        headers=(_MATCH,),
        scope=Scope.CATALOGUE_WRITE,
    ),
    (_PRODUCT, "delete"): Stated(
        problems=(*_CHANGES, 404), headers=(_MATCH,), scope=Scope.CATALOGUE_WRITE
    ),
    (f"{_PRODUCT}/document", "get"): Stated(
        problems=(400, 404, 502, 503), answers=_DOCUMENT, scope=Scope.CATALOGUE_WRITE
    ),
    ("/v1/products/imports", "post"): Stated(
        problems=(400, 409, 413, 415, 422, 503),
        query=(
            query_key("on_error", {"type": "string", "enum": ["reject-all", "reject-rows"]}),
            query_key("dry_run", {"type": "string", "enum": ["false", "true"]}),
        ),
        headers=(KEY,),
        files=tuple(RowFormat),
        answers={JSON: _IMPORT},
        scope=Scope.CATALOGUE_WRITE,
    ),
    ("/v1/products/imports/{job}/report", "get"): Stated(
        problems=(400, 404, 503), answers={RowFormat.JSON_LINES: {}}, scope=Scope.CATALOGUE_WRITE
    ),
    ("/v1/products/export", "get"): Stated(
        problems=(400, 503),
        query=(query_key("format", {"type": "string", "enum": ["ndjson", "csv"]}),),
        answers={format_: {} for format_ in RowFormat},
        scope=Scope.CATALOGUE_WRITE,
    ),
    ("/v1/rates", "get"): Stated(problems=(400, 503), scope=Scope.CATALOGUE_WRITE),
    ("/v1/rates", "put"): Stated(
        problems=(400, 409, 412, 413, 415, 428, 503),
        body=RateList,
        headers=(_MATCH,),
        scope=Scope.CATALOGUE_WRITE,
    ),
}

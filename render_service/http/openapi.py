"""The OpenAPI document: what Litestar derives from the handlers, and what it cannot see.

A body or query that a handler reads itself, and the problems of each route, are stated here; the
tests hold every statement against the routes.
"""

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from render_service.formats import Format
from render_service.http import problems
from render_service.http.schemas import WIDTH_PX_MAX, ProblemOut, ResolveIn
from render_service.http.shop_schemas import PAGE, PAGE_MAX, SEARCH_MAX, QuoteIn, VerifyIn
from render_service.products.languages import LENGTH_MAX
from render_service.products.ports import Sort

_COMPOSITION: Final = "/v1/compositions/{composition}"
_PRODUCT: Final = "/v1/products/{product}"

_EXAMPLE: Final = {
    "selection": {"metal": "rose-gold-18k", "gem": "ruby"},
    "changed": "gem",
    "shown": {"view": "hero", "width": 800, "format": "avif"},
}

_WORDS: Final = {
    400: "What was sent is not of the form",
    404: "No such composition, view, region or product",
    409: "No price: a rate is missing",
    410: "The quote counts no more",
    413: "The body is larger than any the route takes",
    415: "The body is not application/json",
    422: "No such option, value or size; a combination that is not made; or no quote of ours",
    502: "What is kept of it is of another release's shape",
    503: "The database cannot be used",
}

_PROBLEMS: Final = {
    ("/v1/compositions", "get"): (400,),
    (_COMPOSITION, "get"): (400, 404),
    (f"{_COMPOSITION}/resolve", "post"): (400, 404, 413, 415, 422),
    (f"{_COMPOSITION}/explain", "get"): (400, 404, 422),
    ("/v1/products", "get"): (400, 503),
    (_PRODUCT, "get"): (400, 404, 502, 503),
    ("/v1/quotes", "post"): (400, 404, 409, 413, 415, 422, 502, 503),
    ("/v1/quotes/verify", "post"): (400, 410, 413, 415, 422),
    ("/livez", "get"): (),
    ("/startupz", "get"): (),
    ("/readyz", "get"): (),
}
"""(path, method) → statuses of the problem documents it can answer."""

_REVALIDATED: Final = ("/v1/compositions", _COMPOSITION, "/v1/products", _PRODUCT)

_BODIES: Final = {
    f"{_COMPOSITION}/resolve": "ResolveIn",
    "/v1/quotes": "QuoteIn",
    "/v1/quotes/verify": "VerifyIn",
}
"""Path → what its body is; the routes read it themselves, so that every fault names its field."""


class OpenAPIDocument(JsonRenderPlugin):
    """Renders the document as JSON, amended."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document."""
        return msgspec.json.encode(amended(openapi_schema))


def amended(document: dict[str, Any]) -> dict[str, Any]:
    """Return Litestar's `document` with what it cannot see; the one given is left alone."""
    schemas = {**document["components"]["schemas"], **_components()}
    paths = {
        path: {method: _operation(path, method, found) for method, found in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "components": {"schemas": schemas}}


def _components() -> dict[str, Any]:
    _, found = msgspec.json.schema_components(
        (ResolveIn, QuoteIn, VerifyIn, ProblemOut), ref_template="#/components/schemas/{name}"
    )
    return {**found, "ResolveIn": {**found["ResolveIn"], "examples": [_EXAMPLE]}}


def _operation(path: str, method: str, found: dict[str, Any]) -> dict[str, Any]:
    responses = {status: said for status, said in found["responses"].items() if status[0] == "2"}
    for status in _PROBLEMS[path, method]:
        responses[str(status)] = _problem(_WORDS[status])
    if path in _REVALIDATED:
        responses["304"] = {"description": "The client holds it, by its ETag"}
    if path == "/readyz":
        responses["503"] = {**responses["200"], "description": "The process is about to stop"}
    operation = {**found, "responses": responses}
    if path in _BODIES:
        schema = {"$ref": f"#/components/schemas/{_BODIES[path]}"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    if path in _QUERIES:
        operation["parameters"] = [*found.get("parameters", ()), *_QUERIES[path]]
    return operation


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemOut"}
    return {"description": description, "content": {problems.MEDIA_TYPE: {"schema": schema}}}


def _query(
    name: str, schema: dict[str, Any], description: str, *, required: bool = False
) -> dict[str, Any]:
    words = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": required, "schema": schema, **words}


def _explain_parameters() -> list[dict[str, Any]]:
    width = {"type": "integer", "minimum": 1, "maximum": WIDTH_PX_MAX}
    options = {"type": "object", "additionalProperties": {"type": "string"}}
    return [
        _query("view", {"type": "string"}, "A view, or `{view}:{region}`", required=True),
        _query("region", {"type": "string"}, "A region, where `view` names none"),
        _query("width", width, "One of the widths of the view or region, in pixels"),
        _query("format", {"type": "string", "enum": list(Format), "default": Format.WEBP}, ""),
        {
            **_query("selection", options, "Every other key is an option of the composition"),
            "style": "form",
            "explode": True,
        },
    ]


def _list_parameters() -> list[dict[str, Any]]:
    limit = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
    sort = {"type": "string", "enum": list(Sort)}
    search = {"type": "string", "minLength": 1, "maxLength": SEARCH_MAX}
    return [
        _query("q", search, "Words that a product is about, misspelt or not"),
        _query("composition", {"type": "string"}, "Only products that it draws"),
        _query("limit", limit, "Products of a page"),
        _query(
            "sort",
            sort,
            "Newest change first (the default), by title, or by relevance (the default with `q`)",
        ),
        _query("cursor", {"type": "string"}, "As `next` of the page before holds it"),
        _LANGUAGE,
    ]


_LANGUAGE: Final = _query(
    "language", {"type": "string", "maxLength": LENGTH_MAX}, "Of the words, a BCP 47 tag"
)

_QUERIES: Final = {
    f"{_COMPOSITION}/explain": _explain_parameters(),
    "/v1/products": _list_parameters(),
    _PRODUCT: [_LANGUAGE],
}
"""Path → its query keys, which the routes read themselves, too."""

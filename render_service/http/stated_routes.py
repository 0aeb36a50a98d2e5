"""What is stated of the routes of compositions, products, quotes and health."""

from collections.abc import Mapping
from typing import Any, Final

from render_service.formats import Format
from render_service.http.schemas import WIDTH_PX_MAX, ResolveIn
from render_service.http.shop_schemas import PAGE, PAGE_MAX, SEARCH_MAX, QuoteIn, VerifyIn
from render_service.http.stated import Operation, Stated, header, query_key
from render_service.products.languages import LENGTH_MAX
from render_service.products.model import Status
from render_service.products.ports import Sort

_COMPOSITION: Final = "/v1/compositions/{composition}"


def _explain_keys() -> list[dict[str, Any]]:
    width = {"type": "integer", "minimum": 1, "maximum": WIDTH_PX_MAX}
    options = {"type": "object", "additionalProperties": {"type": "string"}}
    formats = {"type": "string", "enum": list(Format), "default": Format.WEBP}
    return [
        query_key("view", {"type": "string"}, "A view, or `{view}:{region}`", required=True),
        query_key("region", {"type": "string"}, "A region, where `view` names none"),
        query_key("width", width, "One of the widths of the view or region, in pixels"),
        query_key("format", formats),
        {
            **query_key("selection", options, "Every other key is an option of the composition"),
            "style": "form",
            "explode": True,
        },
    ]


_LANGUAGE: Final = query_key(
    "language",
    {"type": "string", "pattern": f"^[A-Za-z0-9-]{{1,{LENGTH_MAX}}}$"},
    "Of the words, a BCP 47 tag",
)


def _list_keys() -> list[dict[str, Any]]:
    limit = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
    sort = {"type": "string", "enum": list(Sort)}
    attributes = {
        "type": "object",
        "patternProperties": {"^attribute[.][a-z0-9]+(-[a-z0-9]+)*$": {"type": "string"}},
        "additionalProperties": False,
    }
    status = {"type": "string", "enum": list(Status), "default": Status.ACTIVE}
    search = {"type": "string", "minLength": 1, "maxLength": SEARCH_MAX}
    return [
        query_key("q", search, "Words that a product is about, misspelt or not"),
        query_key("composition", {"type": "string"}, "Only products that it draws"),
        query_key("limit", limit, "Products of a page"),
        query_key(
            "sort",
            sort,
            "Newest change first (the default), by title, or by relevance (the default with `q`)",
        ),
        query_key("cursor", {"type": "string"}, "As `next` of the page before holds it"),
        {
            **query_key("attributes", attributes, "`attribute.{name}={value}`, at most 30"),
            "style": "form",
            "explode": True,
        },
        query_key("facets", {"type": "string"}, "Attributes whose values to count: `style,metal`"),
        query_key("status", status, "Whoever may write products sees drafts and the archive"),
        _LANGUAGE,
    ]


_AFTER: Final = header(
    "Consistency-Token", {"type": "string"}, "Of a write that the answer must not be older than"
)

COMPOSITIONS: Final[Mapping[Operation, Stated]] = {
    ("/v1/compositions", "get"): Stated(problems=(400,), revalidated=True),
    (_COMPOSITION, "get"): Stated(problems=(400, 404), revalidated=True),
    (f"{_COMPOSITION}/resolve", "post"): Stated(problems=(400, 404, 413, 415, 422), body=ResolveIn),
    (f"{_COMPOSITION}/explain", "get"): Stated(problems=(400, 404, 422), query=_explain_keys()),
}

PRODUCTS: Final[Mapping[Operation, Stated]] = {
    ("/v1/products", "get"): Stated(
        problems=(400, 401, 403, 503), query=_list_keys(), headers=(_AFTER,), revalidated=True
    ),
    ("/v1/products/{product}", "get"): Stated(
        problems=(400, 404, 502, 503), query=(_LANGUAGE,), headers=(_AFTER,), revalidated=True
    ),
    ("/v1/quotes", "post"): Stated(problems=(400, 404, 409, 413, 415, 422, 502, 503), body=QuoteIn),
    ("/v1/quotes/verify", "post"): Stated(problems=(400, 410, 413, 415, 422), body=VerifyIn),
}

HEALTH: Final[Mapping[Operation, Stated]] = {
    (path, "get"): Stated() for path in ("/livez", "/startupz", "/readyz")
}

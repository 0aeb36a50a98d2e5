"""The JSON API of products and quotes.

Nothing here draws or prices. Without a database there are no products; pictures need none.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Response, get, post

from render_service.composition.definition import ID_PATTERN
from render_service.errors import MalformedPath, UnknownQueryKey
from render_service.http.asked import invalid, refuse_media_type, refuse_query, wrong
from render_service.http.compositions import Asked, body_of, revalidated
from render_service.http.manifests import Manifests
from render_service.http.offers import Offers
from render_service.http.photographs import Photographs
from render_service.http.shop_schemas import (
    PAGE,
    PAGE_MAX,
    SEARCH_MAX,
    ProductList,
    ProductOut,
    QuoteIn,
    QuoteOut,
    VerifyIn,
)
from render_service.planning.planner import Planner
from render_service.products.languages import LENGTH_MAX
from render_service.products.ports import Place, Sort, Wanted
from render_service.products.quotes import Quote
from render_service.products.shop import Shop

LIST_KEYS: Final = ("q", "composition", "limit", "cursor", "sort", "language")
ONE_KEYS: Final = ("language",)
PRICES_KEPT: Final = "public, max-age=60"
"""Shorter than a manifest: a price that is stale is not shown while another is fetched."""
_LANGUAGE: Final = re.compile(rf"[A-Za-z0-9-]{{1,{LENGTH_MAX}}}", re.ASCII)
_NOT_KEPT: Final = {"cache-control": "no-store"}


class Products(Controller):
    """Routes under `/v1/products`."""

    path = "/v1/products"
    tags = ("Products",)

    @get(summary="List the products on sale")
    async def list_all(
        self,
        request: Asked,
        shop: Shop,
        planner: Planner,
        manifests: Manifests,
        public_url: str,
    ) -> Response[ProductList]:
        """A page of products with the price and the pictures of their default configurations.

        `q` (words that a product is about, misspelt or not), `composition` (only what it draws),
        `limit` (20, at most 100), `sort` (`-updated`, `title`, or with `q` `relevance`),
        `language` (BCP 47), and `cursor`, which `next` of the page before holds.
        """
        asked = _query(request, LIST_KEYS)
        search = _read_search(asked.get("q"))
        sort = _read_sort(asked.get("sort"), searched=search is not None)
        after = _read_cursor(asked["cursor"], sort) if "cursor" in asked else None
        language = _read_language(asked)
        offers = Offers(
            planner=planner, manifests=manifests, public_url=public_url, language=language
        )
        wanted = Wanted(
            sort=sort,
            limit=_read_limit(asked.get("limit")),
            after=after,
            composition=_read_composition(asked.get("composition")),
            search=search,
            language=language,
        )
        found, end = await shop.list_offers(planner.catalogue, wanted, language)
        following = None
        if end is not None:
            query = urlencode({**asked, "cursor": _cursor(end)})
            following = f"{public_url}/v1/products?{query}"
        listed = []
        for one in found:
            listed.append(offers.list_one(one))
            # Half a millisecond each: pictures are answered in between.
            await asyncio.sleep(0)
        return revalidated(request, ProductList(products=listed, next=following), PRICES_KEPT)

    @get("/{product:str}", summary="A product")
    async def show(
        self,
        request: Asked,
        product: str,
        shop: Shop,
        planner: Planner,
        manifests: Manifests,
        photographs: Photographs,
        public_url: str,
    ) -> Response[ProductOut]:
        """Its words, options, sizes and photographs; price and pictures of the default one."""
        language = _read_language(_query(request, ONE_KEYS))
        offer = await shop.show(planner.catalogue, product, language)
        offers = Offers(
            planner=planner, manifests=manifests, public_url=public_url, language=language
        )
        media = await photographs.show(offer.stored.product.media)
        return revalidated(request, offers.describe(offer, media), PRICES_KEPT)


class Quotes(Controller):
    """Routes under `/v1/quotes`."""

    path = "/v1/quotes"
    tags = ("Quotes",)

    @post(status_code=200, summary="Price a configuration")
    async def quote(
        self,
        request: Asked,
        shop: Shop,
        planner: Planner,
        manifests: Manifests,
        public_url: str,
    ) -> Response[QuoteOut]:
        """A signed quote, line by line, with the SKU and the pictures of the configuration."""
        refuse_query(request.scope["query_string"])
        refuse_media_type(request.headers.get("content-type"))
        asked = _read(await body_of(request), QuoteIn)
        quoted = await shop.quote(
            planner.catalogue,
            asked.product,
            asked.selection,
            asked.size,
            language=asked.language,
            now_s=int(time.time()),
        )
        offers = Offers(
            planner=planner, manifests=manifests, public_url=public_url, language=asked.language
        )
        return Response(content=offers.quoted(quoted, asked.selection), headers=_NOT_KEPT)

    @post("/verify", status_code=200, summary="Verify a quote")
    async def verify(self, request: Asked, shop: Shop) -> Response[Quote]:
        """The quote that a token is. Needs no database."""
        refuse_query(request.scope["query_string"])
        refuse_media_type(request.headers.get("content-type"))
        asked = _read(await body_of(request), VerifyIn)
        return Response(content=shop.verify(asked.token, int(time.time())), headers=_NOT_KEPT)


def _query(request: Asked, offered: tuple[str, ...]) -> dict[str, str]:
    """Return the query, each key once and none that is not taken."""
    given: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        if key not in offered:
            raise UnknownQueryKey(key, offered)
        if key in given:
            raise MalformedPath("query", key, "each key once")
        given[key] = str(value)
    return given


def _read_language(asked: Mapping[str, str]) -> str | None:
    language = asked.get("language")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        raise wrong(
            "language", f"expected a BCP 47 tag: at most {LENGTH_MAX} letters, digits and hyphens"
        )
    return language


def _read_composition(given: str | None) -> str | None:
    if given is not None and re.fullmatch(ID_PATTERN, given) is None:
        raise wrong("composition", f"{given[:100]!r} is no id of a composition")
    return given


def _read_search(given: str | None) -> str | None:
    if given is not None and not (0 < len(given) <= SEARCH_MAX and "\0" not in given):
        raise wrong("q", f"expected 1 to {SEARCH_MAX} characters, without NUL")
    return given


def _read_sort(given: str | None, *, searched: bool) -> Sort:
    offered = [sort for sort in Sort if searched or sort is not Sort.RELEVANCE]
    if given is None:
        return Sort.RELEVANCE if searched else Sort.UPDATED
    if given not in offered:
        raise wrong("sort", f"{given[:100]!r}; expected one of {', '.join(offered)}")
    return Sort(given)


def _read_limit(given: str | None) -> int:
    if given is None:
        return PAGE
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= PAGE_MAX:
        return int(given)
    raise wrong("limit", f"{given[:100]!r}; expected a whole number from 1 to {PAGE_MAX}")


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read_cursor(given: str, sort: Sort) -> Place:
    """Return the place that a cursor stands for."""
    expected = "expected what `next` of the page before holds"
    try:
        padded = given + "=" * (-len(given) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        place = msgspec.json.decode(data, type=Place)
        place.check()
    except (ValueError, OverflowError, binascii.Error, msgspec.DecodeError) as error:
        raise wrong("cursor", expected) from error
    if place.sort is not sort:
        raise wrong("cursor", f"{expected}, under the same sort")
    return place


def _read(body: bytes, shape: Any) -> Any:  # noqa: ANN401  # whichever shape is asked for
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `")
        field = place.rstrip("`").removeprefix("$").removeprefix(".")
        raise invalid([(field or "body", said)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = "expected JSON in UTF-8" if body else "expected JSON, got nothing"
        raise invalid([("body", problem)]) from error

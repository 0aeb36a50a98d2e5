"""The JSON API of products, as shoppers see them.

Nothing here draws or prices. Without a database there are no products; pictures need none.
"""

import asyncio
from typing import Final
from urllib.parse import urlencode

from litestar import Controller, Response, get

from render_service.auth.scopes import Caller, Scope
from render_service.http.access import check
from render_service.http.compositions import Asked, revalidated
from render_service.http.manifests import Manifests
from render_service.http.offers import Offers
from render_service.http.photographs import Photographs
from render_service.http.preconditions import read_position
from render_service.http.product_query import (
    read_language,
    read_listed,
    read_query,
    spell_cursor,
)
from render_service.http.shop_schemas import ProductList, ProductOut
from render_service.planning.planner import Planner
from render_service.products.model import Status
from render_service.products.ports import Wanted
from render_service.products.shop import Shop

ONE_KEYS: Final = ("language",)
PRICES_KEPT: Final = "public, max-age=60"
"""Shorter than a manifest: a price that is stale is not shown while another is fetched."""


class ProductsShown(Controller):
    """Routes under `/v1/products` that show what is sold."""

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
        caller: Caller,
    ) -> Response[ProductList]:
        """A page of products with the price and the pictures of their default configurations.

        `q` (words that a product is about, misspelt or not), `composition` (only what it draws),
        `limit` (20, at most 100), `sort` (`-updated`, `title`, or with `q` `relevance`),
        `language` (BCP 47), `status` (`active`, and for who may write `draft`
        and `archived`), `attribute.{name}` (a value; several of one name are
        alternatives), `facets` (names of attributes whose values are counted), and `cursor`, which
        `next` of the page before holds.
        """
        listed = read_listed(request)
        wanted = listed.wanted
        if wanted.status is not Status.ACTIVE:
            check(caller, Scope.CATALOGUE_WRITE)
        language = wanted.language
        offers = Offers(
            planner=planner, manifests=manifests, public_url=public_url, language=language
        )
        found, end = await shop.list_offers(planner.catalogue, wanted, language)
        following = None
        if end is not None:
            query = urlencode([*listed.query, ("cursor", spell_cursor(end))])
            following = f"{public_url}/v1/products?{query}"
        counted = await shop.count_facets(wanted, listed.facets)
        products = []
        for one in found:
            products.append(offers.list_one(one))
            # Half a millisecond each: pictures are answered in between.
            await asyncio.sleep(0)
        return revalidated(
            request,
            ProductList(products=products, next=following, facets=list(counted)),
            _kept(wanted),
        )

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
        language = read_language(read_query(request, ONE_KEYS))
        not_before = read_position(request)
        offer = await shop.show(planner.catalogue, product, language, not_before)
        offers = Offers(
            planner=planner, manifests=manifests, public_url=public_url, language=language
        )
        media = await photographs.show(offer.stored.product.media)
        cache_control = "no-store" if not_before else PRICES_KEPT
        return revalidated(request, offers.describe(offer, media), cache_control)


def _kept(wanted: Wanted) -> str:
    """What one may see, or has just written, is for nobody else."""
    shared = wanted.status is Status.ACTIVE and not wanted.not_before
    return PRICES_KEPT if shared else "no-store"

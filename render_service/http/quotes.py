"""The JSON API of quotes: a price that is signed, and what a signed one says."""

import time

from litestar import Controller, Response, post

from render_service.http.asked import read_body, refuse_media_type, refuse_query
from render_service.http.compositions import Asked, body_of
from render_service.http.manifests import Manifests
from render_service.http.offers import Offers
from render_service.http.preconditions import NOT_KEPT
from render_service.http.shop_schemas import QuoteIn, QuoteOut, VerifyIn
from render_service.planning.planner import Planner
from render_service.products.quotes import Quote
from render_service.products.shop import Shop


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
        asked = read_body(await body_of(request), QuoteIn)
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
        return Response(content=offers.quoted(quoted, asked.selection), headers=NOT_KEPT)

    @post("/verify", status_code=200, summary="Verify a quote")
    async def verify(self, request: Asked, shop: Shop) -> Response[Quote]:
        """The quote that a token is. Needs no database."""
        refuse_query(request.scope["query_string"])
        refuse_media_type(request.headers.get("content-type"))
        asked = read_body(await body_of(request), VerifyIn)
        return Response(content=shop.verify(asked.token, int(time.time())), headers=NOT_KEPT)

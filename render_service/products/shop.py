"""The shop: products as shoppers see them, with pictures' configurations and prices of this moment.

The rule: a product that cannot be sold right now (its composition is not live, a rate is missing)
is shown without a price rather than not at all, and a quote for it is refused with the reason.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from render_service.composition.catalogue import Catalogue
from render_service.errors import (
    InvalidProduct,
    InvalidSelection,
    NotPriced,
    UnknownComposition,
    UnknownProduct,
)
from render_service.products.configure import Configured, configure
from render_service.products.model import Product, Status
from render_service.products.ports import Page, Place, ProductReader, Sort, Stored
from render_service.products.price import Price
from render_service.products.pricing import price
from render_service.products.quotes import Quote, QuoteSigner, make_quote
from render_service.products.rates import Rates
from render_service.products.sku import make_sku


class Offer(Struct, frozen=True, kw_only=True):
    """A product in its default configuration.

    Attributes:
        stored: The product.
        configured: None where its composition is not live or does not fit.
        sku: Likewise.
        price: None, too, where the rates do not give one.
    """

    stored: Stored
    configured: Configured | None
    sku: str | None
    price: Price | None


class Quoted(Struct, frozen=True, kw_only=True):
    """A quote, its token, and what it is of."""

    quote: Quote
    token: str
    product: Product


class Shop:
    """Products, priced and configured.

    Args:
        store: Keeps them.
        catalogue: The compositions that are live, asked at each use.
        signer: Signs quotes.
        quote_s: How long a quote counts, in seconds.
    """

    def __init__(
        self,
        store: ProductReader,
        catalogue: Callable[[], Catalogue],
        signer: QuoteSigner,
        *,
        quote_s: int,
    ) -> None:
        self._store, self._catalogue, self._signer = store, catalogue, signer
        self._quote_s = quote_s

    async def list_offers(
        self, sort: Sort, limit: int, after: Place | None, language: str | None
    ) -> tuple[list[Offer], Place | None]:
        """Return active products as offers, and where the next page begins.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        page: Page = await self._store.list_active(sort, limit, after)
        rates = await self._store.read_rates()
        return [self._offer(stored, rates, language) for stored in page.items], page.next

    async def show(self, product_id: str, language: str | None) -> Offer:
        """Return an active product.

        Raises:
            UnknownProduct: There is none of that id, or it is not sold.
            DatabaseUnavailable: It cannot be read.
        """
        return self._offer(await self._sold(product_id), await self._store.read_rates(), language)

    async def quote(
        self,
        product_id: str,
        selection: Mapping[str, str],
        size: str | None,
        language: str | None,
    ) -> Quoted:
        """Price a configuration of a product now, and sign it.

        Raises:
            UnknownProduct: There is none of that id, or it is not sold.
            InvalidSelection: It is not made that way.
            NotPriced: The rates do not give a price.
            DatabaseUnavailable: Product or rates cannot be read.
        """
        stored = await self._sold(product_id)
        composition = self._catalogue().composition(stored.product.composition)
        configured = configure(stored.product, composition, selection, size)
        quote = make_quote(
            stored.product,
            stored.revision,
            configured,
            await self._store.read_rates(),
            issued_s=int(time.time()),
            lifetime_s=self._quote_s,
            language=language,
        )
        return Quoted(quote=quote, token=self._signer.sign(quote), product=stored.product)

    def verify(self, token: str) -> Quote:
        """Return the quote of a token. Asks nobody.

        Raises:
            BadQuote: It is none of ours.
            ExpiredQuote: It counts no more.
        """
        return self._signer.verify(token, int(time.time()))

    async def _sold(self, product_id: str) -> Stored:
        stored = await self._store.get(product_id)
        if stored.product.status is not Status.ACTIVE:
            raise UnknownProduct(product_id)
        return stored

    def _offer(self, stored: Stored, rates: Rates, language: str | None) -> Offer:
        product, found, sku = stored.product, None, None
        configured = self._default(product)
        if configured is not None:
            sku = make_sku(product, configured)
            try:
                found = price(configured, product, rates, datetime.now(UTC), language=language)
            except (NotPriced, InvalidProduct):
                found = None
        return Offer(stored=stored, configured=configured, sku=sku, price=found)

    def _default(self, product: Product) -> Configured | None:
        try:
            composition = self._catalogue().composition(product.composition)
            return configure(product, composition, {}, None)
        except (UnknownComposition, InvalidSelection, InvalidProduct):
            # Published without it since: the product waits for its pictures.
            return None

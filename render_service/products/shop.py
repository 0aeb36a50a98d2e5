"""The shop: products as shoppers see them, with pictures' configurations and prices of this moment.

The rule: a product that cannot be sold right now (its composition is not live, a rate is missing)
is shown without a price rather than not at all, and a quote for it is refused with the reason.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
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
from render_service.products.ports import Facet, Place, ProductReader, Stored, Wanted
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
    """Products, priced and configured against the catalogue that a request sees.

    Args:
        store: Keeps them.
        signer: Signs quotes.
        quote_s: How long a quote counts, in seconds.
    """

    def __init__(
        self,
        store: ProductReader,
        signer: QuoteSigner,
        *,
        quote_s: int,
    ) -> None:
        self._store, self._signer = store, signer
        self._quote_s = quote_s

    @property
    def is_away(self) -> bool:
        """Whether the products could not be read, the last time."""
        return self._store.is_away

    async def list_offers(
        self, catalogue: Catalogue, wanted: Wanted, language: str | None
    ) -> tuple[Iterator[Offer], Place | None]:
        """Return products as offers, and where the next page begins.

        Each offer is made when it is taken, in some 0.1 ms: whoever takes many lets others in.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        page = await self._store.list_products(wanted)
        rates = await self._store.read_rates()
        offers = (_offer(catalogue, stored, rates, language) for stored in page.items)
        return offers, page.next

    async def count_facets(self, wanted: Wanted, facets: Sequence[str]) -> Sequence[Facet]:
        """Return the values of the attributes `facets` that the products of a list have.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        return await self._store.count_facets(wanted, facets) if facets else ()

    async def show(
        self, catalogue: Catalogue, product_id: str, language: str | None, not_before: str = ""
    ) -> Offer:
        """Return an active product, not older than the position `not_before`.

        Raises:
            UnknownProduct: There is none of that id, or it is not sold.
            DatabaseUnavailable: It cannot be read.
        """
        stored = _sold(await self._store.get(product_id, after=not_before))
        return _offer(catalogue, stored, await self._store.read_rates(), language)

    async def quote(
        self,
        catalogue: Catalogue,
        product_id: str,
        selection: Mapping[str, str],
        size: str | None,
        *,
        language: str | None,
        now_s: int,
    ) -> Quoted:
        """Price a configuration of a product now, and sign it.

        Raises:
            UnknownProduct: There is none of that id, or it is not sold.
            InvalidSelection: It is not made that way.
            NotPriced: The rates do not give a price.
            DatabaseUnavailable: Product or rates cannot be read.
        """
        # From the primary: what is signed was never true of yesterday's product alone.
        stored = _sold(await self._store.get(product_id, stale=False))
        composition = catalogue.composition(stored.product.composition)
        configured = configure(stored.product, composition, selection, size)
        quote = make_quote(
            stored.product,
            stored.revision,
            configured,
            await self._store.read_rates(),
            issued_s=now_s,
            lifetime_s=self._quote_s,
            language=language,
        )
        return Quoted(quote=quote, token=self._signer.sign(quote), product=stored.product)

    def verify(self, token: str, now_s: int) -> Quote:
        """Return the quote of a token. Asks nobody.

        Raises:
            BadQuote: It is none of ours.
            ExpiredQuote: It counts no more.
        """
        return self._signer.verify(token, now_s)


def _sold(stored: Stored) -> Stored:
    if stored.product.status is not Status.ACTIVE:
        raise UnknownProduct(stored.product.id)
    return stored


def _offer(catalogue: Catalogue, stored: Stored, rates: Rates, language: str | None) -> Offer:
    """Return what there is of an offer: a release may have taken something since it was written."""
    product = stored.product
    configured, sku, found = None, None, None
    with contextlib.suppress(NotPriced, InvalidProduct, InvalidSelection, UnknownComposition):
        configured = configure(product, catalogue.composition(product.composition), {}, None)
        sku = make_sku(product, configured)
        found = price(configured, product, rates, datetime.now(UTC), language=language)
    return Offer(stored=stored, configured=configured, sku=sku, price=found)

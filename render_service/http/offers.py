"""Products and quotes as the JSON API shows them; pure, words chosen by language.

A word is in the language that was asked for, or one it is of (`de` for `de-AT`), else the product's
own, else the composition's: whoever reads it always finds one.
"""

from collections.abc import Mapping

from render_service.composition.configuration import resolve
from render_service.composition.model import Composition
from render_service.http.manifests import Manifests
from render_service.http.photographs import MediaOut
from render_service.http.schemas import PictureOut
from render_service.http.shop_schemas import (
    OfferedOption,
    OfferedValue,
    PriceOut,
    ProductListed,
    ProductOut,
    QuoteOut,
    SizesOut,
)
from render_service.planning.planner import Planner
from render_service.products.configure import Configured, narrow
from render_service.products.languages import pick_language
from render_service.products.model import OptionWords, Product, Translation
from render_service.products.money import spell_number
from render_service.products.price import Price
from render_service.products.shop import Offer, Quoted
from render_service.products.sizes import spell_tenths

_NO_WORDS = Translation()


class Offers:
    """What the JSON API says of products.

    Args:
        planner: Names the pictures.
        manifests: Shows them.
        public_url: Before every URL handed out.
        language: A BCP 47 tag; None is each product's own.
    """

    def __init__(
        self, *, planner: Planner, manifests: Manifests, public_url: str, language: str | None
    ) -> None:
        self._planner, self._manifests = planner, manifests
        self._public_url, self._language = public_url, language

    def list_one(self, offer: Offer) -> ProductListed:
        """Return a product as it is listed."""
        product = offer.stored.product
        return ProductListed(
            id=product.id,
            title=self._words(product).title or product.title,
            composition=product.composition,
            href=f"{self._public_url}/v1/products/{product.id}",
            sku=offer.sku,
            price=_price(offer.price),
            image=self._first_image(product, offer.configured),
            attributes={name: list(values) for name, values in product.attributes.items()},
            status=product.status,
            revision=offer.stored.revision,
        )

    def describe(self, offer: Offer, media: list[MediaOut]) -> ProductOut:
        """Return a product whole; `media` are its photographs."""
        product, words = offer.stored.product, self._words(offer.stored.product)
        composition, _ = self._shown(product, offer.configured)
        return ProductOut(
            id=product.id,
            title=words.title or product.title,
            text=words.text or product.text,
            language=_tag(product, self._language) or product.language,
            languages=[product.language, *product.translations],
            composition=product.composition,
            options=list(self._options(product, composition)) if composition else [],
            sizes=_sizes(product),
            attributes={name: list(values) for name, values in product.attributes.items()},
            media=media,
            sku=offer.sku,
            price=_price(offer.price),
            images=self._images(product, offer.configured),
            revision=offer.stored.revision,
        )

    def quoted(self, quoted: Quoted, selection: Mapping[str, str]) -> QuoteOut:
        """Return a quote; `selection` is what was asked for, pictures included."""
        product, quote = quoted.product, quoted.quote
        composition = self._planner.catalogue.composition(product.composition)
        pictures = resolve(composition, {**selection, **quote.configuration})
        return QuoteOut(
            quote=quote,
            amount=spell_number(quote.total_minor, quote.currency),
            token=quoted.token,
            images=self._manifests.resolve(composition, pictures, []).images,
            alt=self._alt(product, composition, quote.configuration),
        )

    def _alt(
        self, product: Product, composition: Composition, configuration: Mapping[str, str]
    ) -> str:
        titles = {
            option.id: {value.id: value.title for value in option.values}
            for option in self._options(product, composition)
        }
        chosen = [titles[option][value] for option, value in configuration.items()]
        return f"{self._words(product).title or product.title}: {', '.join(chosen)}"

    def _options(self, product: Product, composition: Composition) -> list[OfferedOption]:
        words, narrowed = self._words(product).options, narrow(product, composition)
        offered = []
        for option in narrowed.options.values():
            said = words.get(option.id, OptionWords())
            values = [
                OfferedValue(id=value.id, title=said.values.get(value.id, value.title))
                for value in option.values
            ]
            offered.append(
                OfferedOption(
                    id=option.id,
                    title=said.title or option.title,
                    default=option.default,
                    values=values,
                )
            )
        return offered

    def _images(self, product: Product, configured: Configured | None) -> dict[str, PictureOut]:
        composition, selection = self._shown(product, configured)
        if composition is None:
            return {}
        return {
            view.id: self._manifests.picture(composition, view, selection)
            for view in composition.views.values()
        }

    def _first_image(self, product: Product, configured: Configured | None) -> PictureOut | None:
        composition, selection = self._shown(product, configured)
        if composition is None:
            return None
        view = next(iter(composition.views.values()))
        return self._manifests.picture(composition, view, selection)

    def _shown(
        self, product: Product, configured: Configured | None
    ) -> tuple[Composition | None, tuple[tuple[str, str], ...]]:
        """Return what draws a product and the whole selection; None where it is not made so."""
        if configured is None:
            return None, ()
        composition = self._planner.catalogue.composition(product.composition)
        resolution = resolve(composition, configured.configuration)
        return (composition if resolution.valid else None), tuple(resolution.configuration.items())

    def _words(self, product: Product) -> Translation:
        tag = _tag(product, self._language)
        return product.translations.get(tag, _NO_WORDS) if tag else _NO_WORDS


def _tag(product: Product, language: str | None) -> str | None:
    return pick_language(language, (product.language, *product.translations))


def _price(price: Price | None) -> PriceOut | None:
    if price is None:
        return None
    return PriceOut(
        currency=price.currency,
        total_minor=price.total_minor,
        amount=spell_number(price.total_minor, price.currency),
        tax=price.tax,
    )


def _sizes(product: Product) -> SizesOut | None:
    if product.sizes is None:
        return None
    return SizesOut(
        default=spell_tenths(product.sizes.base_tenths),
        values=[spell_tenths(tenths) for tenths in product.sizes.tenths],
    )

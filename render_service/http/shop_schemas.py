"""What the product routes take and give: the shapes that OpenAPI shows.

Shapes only: how they are filled is `offers.py`. Amounts are whole minor units of the currency
(cents, or yen where there are none); `amount` is the same as a decimal number in text, for showing.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from render_service.http.photographs import MediaOut
from render_service.http.schemas import PictureOut
from render_service.products.model import Status
from render_service.products.ports import Facet
from render_service.products.price import Tax
from render_service.products.quotes import Quote

SEARCH_MAX: Final = 200
"""Characters of a search: more than anybody types."""

PAGE: Final = 20
PAGE_MAX: Final = 100
"""Products of a page: 5 kB each, most of it addresses of a picture."""


class PriceOut(Struct, frozen=True, kw_only=True):
    """What a configuration costs at this moment.

    Attributes:
        currency: ISO 4217.
        total_minor: What is paid, in minor units.
        amount: The same as a decimal number, e.g. `1849.00`.
        tax: What of it is tax.
    """

    currency: str
    total_minor: int
    amount: str
    tax: Tax


class ProductListed(Struct, frozen=True, kw_only=True):
    """A product in a list, in its default configuration.

    Attributes:
        id: As in `href`.
        title: In the language asked for, where there is one.
        composition: What draws it: `/v1/compositions/{composition}`.
        href: The product.
        sku: Of the default configuration; null while its composition is not live.
        price: Of it; null, too, while the rates do not give one.
        image: Of it, in the composition's first view.
        attributes: What it is found by.
        status: `active`, but in a list of something else.
        revision: Counts the changes of the product: its ETag.
    """

    id: str
    title: str
    composition: str
    href: str
    sku: str | None
    price: PriceOut | None
    image: PictureOut | None
    attributes: dict[str, list[str]]
    status: Status
    revision: int


class ProductList(Struct, frozen=True, kw_only=True):
    """A page of products.

    Attributes:
        products: Of this page.
        next: The address of the page behind it; null at the end.
        facets: Of the whole list, one for each attribute that was asked for.
    """

    products: list[ProductListed]
    next: str | None
    facets: list[Facet]


class OfferedValue(Struct, frozen=True, kw_only=True):
    """A value on offer."""

    id: str
    title: str


class OfferedOption(Struct, frozen=True, kw_only=True):
    """What a shopper chooses; `default` is the id of one of `values`."""

    id: str
    title: str
    default: str
    values: list[OfferedValue]


class SizesOut(Struct, frozen=True, kw_only=True):
    """Ring sizes on offer: inner circumference in millimetres (ISO 8653), e.g. `52.5`."""

    default: str
    values: list[str]


class ProductOut(Struct, frozen=True, kw_only=True):
    """A product, and its default configuration.

    Attributes:
        id: As in its address.
        title: In the language asked for, where there is one.
        text: Likewise.
        language: Of title and text.
        languages: Those there are.
        composition: What draws it: `/v1/compositions/{composition}`.
        options: Those of the product; empty while its composition is not live.
        sizes: Null for what has none.
        attributes: What it is found by.
        media: Photographs, in order.
        sku: Of the default configuration; null while its composition is not live.
        price: Of it; null, too, while the rates do not give one.
        images: View id → its picture.
        revision: Counts the changes of the product.
    """

    id: str
    title: str
    text: str
    language: str
    languages: list[str]
    composition: str
    options: list[OfferedOption]
    sizes: SizesOut | None
    attributes: dict[str, list[str]]
    media: list[MediaOut]
    sku: str | None
    price: PriceOut | None
    images: dict[str, PictureOut]
    revision: int


class QuoteIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to price.

    Attributes:
        product: Its id.
        selection: Option → value; what is left out has its default. Options of the composition that
            are not the product's, a background, say, show in the pictures and change no price.
        size: Ring size in millimetres, as `52` or `52.5`; left out it is the default one.
        language: Of the titles of lines, a BCP 47 tag.
    """

    product: Annotated[str, Meta(min_length=1, max_length=64)]
    selection: Annotated[dict[str, str], Meta(max_length=100)] = {}
    size: Annotated[str, Meta(max_length=16)] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None


class QuoteOut(Struct, frozen=True, kw_only=True):
    """A quote, and the token that proves it.

    Attributes:
        quote: What was priced, line by line.
        amount: The total as a decimal number, e.g. `1849.00`.
        token: Hand it on: whoever has the keys verifies it without asking anybody.
        images: View id → its picture.
        alt: What the pictures show, in words.
    """

    quote: Quote
    amount: str
    token: str
    images: dict[str, PictureOut]
    alt: str


class VerifyIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token of a quote."""

    token: Annotated[str, Meta(max_length=32_768)]

"""What a product is: the words, the options and the rules it is sold by.

A product never lists its configurations: it says which options of a composition it offers, and
everything else follows. Meaning is checked against the composition by `check.py`; whoever works
with a product holds one that passed.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from render_service.composition.definition import Id
from render_service.products.rules import Pricing
from render_service.products.sizes import Sizes
from render_service.products.spelling import (
    LanguageTag,
    MediaId,
    Short,
    SkuCode,
    SkuTemplate,
    Text,
    Title,
)


class Status(StrEnum):
    """Where a product is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Role(StrEnum):
    """What a product's photograph is for."""

    MAIN = "main"
    GALLERY = "gallery"
    DETAIL = "detail"
    WORN = "worn"


class OptionWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An option in another language, as far as it differs.

    Attributes:
        title: Of the option; None leaves the composition's.
        values: Value id → its title.
    """

    title: Short | None = None
    values: Annotated[dict[Id, Short], Meta(max_length=200)] = {}


class Translation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product's words in another language, as far as they differ.

    Attributes:
        title: Of the product; None leaves its own.
        text: Likewise.
        options: Option id → its words.
    """

    title: Title | None = None
    text: Text | None = None
    options: Annotated[dict[Id, OptionWords], Meta(max_length=20)] = {}


class ProductOption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An option of the composition that a shopper of the product chooses.

    Attributes:
        id: Of the composition's option.
        values: Those on offer, in the order they are shown; all of the option's where left out.
        default: The value where none is chosen; the composition's where left out.
        codes: Value id → its part of a SKU.
    """

    id: Id
    values: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=200)] | None = None
    default: Id | None = None
    codes: Annotated[dict[Id, SkuCode], Meta(max_length=200)] = {}


class Media(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A photograph of the product, beside the pictures that are composed.

    Attributes:
        id: Of what was uploaded.
        role: What it is for.
        alt: Language → what it shows, for those who do not see it.
    """

    id: MediaId
    role: Role = Role.GALLERY
    alt: Annotated[dict[LanguageTag, Title], Meta(max_length=50)] = {}


Attributes = Annotated[
    dict[Id, Annotated[tuple[Short, ...], Meta(min_length=1, max_length=50)]], Meta(max_length=30)
]


class Product(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is sold, in all its configurations.

    Attributes:
        id: As in URLs.
        composition: Id of what draws it.
        status: Only what is active is sold.
        language: Of `title`, `text` and every other word that names no language.
        title: For people.
        text: For people, plain.
        translations: Language → what differs in it.
        attributes: What it is found by, e.g. collection, style, occasion.
        sizes: Ring sizes; None for what has none.
        options: In the order they are shown. An option of the composition that is not here, a
            background say, is of the picture only: it changes neither price nor SKU nor hash.
        sku: What SKUs are made from.
        pricing: What prices are made from.
        media: Photographs, in the order they are shown.
    """

    id: Id
    composition: Id
    status: Status = Status.DRAFT
    language: LanguageTag = "en"
    title: Title
    text: Text = ""
    translations: Annotated[dict[LanguageTag, Translation], Meta(max_length=50)] = {}
    attributes: Attributes = {}
    sizes: Sizes | None = None
    options: Annotated[tuple[ProductOption, ...], Meta(max_length=20)] = ()
    sku: SkuTemplate
    pricing: Pricing
    media: Annotated[tuple[Media, ...], Meta(max_length=50)] = ()

    def option(self, option: str) -> ProductOption | None:
        """Return the product's option `option`, or None where it has none."""
        return next((one for one in self.options if one.id == option), None)

"""How a product is priced, as data: parts that cost, and what is put on top of them.

The grammar is no more than that of compositions: `when` (an option has one of its values, ANDed)
and `{option}` inside the key of a rate. What is reckoned with it stands in `pricing.py`.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from render_service.composition.definition import Id
from render_service.composition.model import Condition
from render_service.products.money import AMOUNT_MAX, Currency, Rounding
from render_service.products.spelling import LanguageTag, RateKey, RateTemplate, Short

BASIS_POINTS: Final = 10_000
"""Basis points of the whole."""

PARTS_MAX: Final = 30

TABLES_MAX: Final = 4
"""Options by which one part may differ. With every other bound at its largest, a total is below
4e18: it fits 64 bits with a sign."""

# 10 kg of metal, 100 carats a stone, a thousand stones: beyond anything that is worn.
Milligrams = Annotated[int, Meta(ge=0, le=10_000_000)]
AddedMilligrams = Annotated[int, Meta(ge=-10_000_000, le=10_000_000)]
CaratThousandths = Annotated[int, Meta(ge=0, le=100_000)]
AddedCaratThousandths = Annotated[int, Meta(ge=-100_000, le=100_000)]
Count = Annotated[int, Meta(ge=1, le=1000)]
# Ten times the cost on top of it; jewellers ask for one to three times.
Markup = Annotated[int, Meta(ge=0, le=10 * BASIS_POINTS)]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Titles = Annotated[dict[LanguageTag, Short], Meta(max_length=50)]
Choice = Id | Annotated[tuple[Id, ...], Meta(min_length=1, max_length=200)]
When = Annotated[dict[Id, Choice], Meta(max_length=20)]
MilligramsBy = Annotated[
    dict[Id, Annotated[dict[Id, AddedMilligrams], Meta(min_length=1, max_length=200)]],
    Meta(max_length=TABLES_MAX),
]
CaratsBy = Annotated[
    dict[Id, Annotated[dict[Id, AddedCaratThousandths], Meta(min_length=1, max_length=200)]],
    Meta(max_length=TABLES_MAX),
]


class Prices(StrEnum):
    """Whether the prices a shopper sees hold the tax, or it comes on top."""

    INCLUDE_TAX = "include_tax"
    EXCLUDE_TAX = "exclude_tax"


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What parts of every kind have.

    Attributes:
        title: Of its line, for people.
        titles: Language → the title in it.
        when: Option → value or values; the part is in the price where all of them hold.
        markup_bp: In place of the product's; None takes that.
    """

    title: Short
    titles: Titles = {}
    when: When = {}
    markup_bp: Markup | None = None

    @property
    def condition(self) -> Condition:
        """`when` as compositions have it."""
        return {
            option: (choice,) if isinstance(choice, str) else choice
            for option, choice in self.when.items()
        }


class MetalPart(_Part, tag_field="kind", tag="metal", frozen=True, kw_only=True):
    """Metal by weight, which grows with the ring.

    Attributes:
        rate: Key of a metal rate; `{option}` stands for that option's value.
        weight_mg: At the base size.
        per_size_mg: For each whole millimetre of circumference above the base size, in proportion
            for parts of one; below the base size it comes off.
        by: Option → value → milligrams that the value adds. Negative takes off.
    """

    rate: RateTemplate
    weight_mg: Milligrams
    per_size_mg: Milligrams = 0
    by: MilligramsBy = {}


class StonesPart(_Part, tag_field="kind", tag="stones", frozen=True, kw_only=True):
    """Stones of one kind, by carat.

    Attributes:
        rate: Key of a stone rate; `{option}` stands for that option's value.
        carat_thousandths: Of each stone, before what `by` adds.
        by: Option → value → thousandths of a carat that the value adds to each stone.
        count: How many stones.
    """

    rate: RateTemplate
    carat_thousandths: CaratThousandths = 0
    by: CaratsBy = {}
    count: Count = 1


class ChargePart(_Part, tag_field="kind", tag="charge", frozen=True, kw_only=True):
    """Work that costs the same whatever the rates are: setting, making, hallmarking, engraving.

    Attributes:
        amount_minor: For one, before markup and tax.
        each: How many, e.g. settings.
    """

    amount_minor: Amount
    each: Count = 1


Part = MetalPart | StonesPart | ChargePart


class Label(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The title of a line that is no part.

    Attributes:
        title: For people.
        titles: Language → the title in it.
    """

    title: Short
    titles: Titles = {}


class Pricing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules by which a product is priced.

    Attributes:
        currency: Of its charges and its prices; rates are taken in it.
        tax_class: Key of a tax rate.
        prices: Whether lines hold the tax.
        markup_bp: On top of every part's cost, in basis points; a part may have its own.
        rounding: The endings of prices: of the total where prices include tax, and of the sum
            before tax where they do not.
        parts: In the order of the lines.
        rounding_label: Title of the line by which the total was moved.
        tax_label: Title of the line of tax.
    """

    currency: Currency
    tax_class: RateKey
    prices: Prices
    markup_bp: Markup = 0
    rounding: Rounding = Rounding()
    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=PARTS_MAX)]
    rounding_label: Label = Label(title="Rounding")
    tax_label: Label = Label(title="Tax")

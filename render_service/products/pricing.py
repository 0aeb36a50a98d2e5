"""Price: configuration × rates × instant → lines and a total, whose sum is always the total.

A line is cost × (1 + markup), × (1 + tax) where prices hold the tax: a rational of integers that is
rounded once, half to even. So a shopper sees what things cost with neither cost nor markup.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from render_service.composition.model import satisfied
from render_service.errors import FieldFault, InvalidProduct
from render_service.products.configure import Configured
from render_service.products.languages import pick_language
from render_service.products.model import Product
from render_service.products.money import divide, spell_decimal
from render_service.products.price import Line, LineKind, Price, RateUsed, Tax, Unit
from render_service.products.rates import Rate, RateKind, Rates
from render_service.products.rules import (
    BASIS_POINTS,
    ChargePart,
    Label,
    MetalPart,
    Part,
    Prices,
    Pricing,
)
from render_service.products.spelling import fill

_TENTHS_PER_KG: Final = 10_000_000
"""Tenths of a milligram in a kilogram, which is what metal rates are for: a tenth of a milligram is
what a tenth of a millimetre of circumference adds at 1 mg a millimetre, so weights are whole."""


class _Cost(Struct, frozen=True, kw_only=True):
    """A part's quantity, and its cost in minor units as numerator / denominator."""

    kind: LineKind
    quantity: str
    unit: Unit
    numerator: int
    denominator: int
    rate: Rate | None


def price(
    configured: Configured,
    product: Product,
    rates: Rates,
    at: datetime,
    *,
    language: str | None = None,
) -> Price:
    """Return what a configuration costs at an instant.

    Args:
        configured: A configuration of `product`.
        product: What is sold.
        rates: What metals, stones and taxes cost.
        at: The instant, aware of its zone.
        language: Of the titles, a BCP 47 tag; the product's own where it has no other, or None.

    Raises:
        RateMissing: A rate that is needed is not valid then.
        RateInOtherCurrency: It is, but not in the product's currency.
        InvalidProduct: A table of the product does not cover the configuration.
    """
    pricing = product.pricing
    tax = rates.find(RateKind.TAX, pricing.tax_class, None, at)
    included = pricing.prices is Prices.INCLUDE_TAX
    lines, used = [], []
    for index, part in enumerate(pricing.parts):
        if not satisfied(part.condition, configured.configuration):
            continue
        cost = _cost(part, f"pricing.parts[{index}]", configured, product, rates, at)
        lines.append(_line(part, cost, pricing, tax.amount if included else 0, language))
        used += [cost.rate] if cost.rate else []
    shown_minor = _round(lines, pricing, language)
    if included:
        tax_minor = divide(shown_minor * tax.amount, BASIS_POINTS + tax.amount)
    else:
        tax_minor = divide(shown_minor * tax.amount, BASIS_POINTS)
        lines.append(_tax_line(tax, tax_minor, pricing, language))
    return Price(
        currency=pricing.currency,
        lines=tuple(lines),
        total_minor=shown_minor if included else shown_minor + tax_minor,
        tax=Tax(tax_class=tax.key, rate_bp=tax.amount, amount_minor=tax_minor, included=included),
        rates=tuple(dict.fromkeys(map(_used, [*used, tax]))),
    )


def _cost(
    part: Part, place: str, configured: Configured, product: Product, rates: Rates, at: datetime
) -> _Cost:
    configuration, currency = dict(configured.configuration), product.pricing.currency
    if isinstance(part, ChargePart):
        return _Cost(
            kind=LineKind.CHARGE,
            quantity=str(part.each),
            unit=Unit.EACH,
            numerator=part.amount_minor * part.each,
            denominator=1,
            rate=None,
        )
    added = _added(part.by, configuration, f"{place}.by")
    key = fill(part.rate, configuration)
    if isinstance(part, MetalPart):
        rate = rates.find(RateKind.METAL, key, currency, at)
        weight = _weight_tenths_mg(part, added, configured, product)
        return _Cost(
            kind=LineKind.METAL,
            quantity=spell_decimal(weight, 4),
            unit=Unit.GRAM,
            numerator=weight * rate.amount,
            denominator=_TENTHS_PER_KG,
            rate=rate,
        )
    rate = rates.find(RateKind.STONE, key, currency, at)
    carats = max(0, part.carat_thousandths + added) * part.count
    return _Cost(
        kind=LineKind.STONES,
        quantity=spell_decimal(carats, 3),
        unit=Unit.CARAT,
        numerator=carats * rate.amount,
        denominator=1000,
        rate=rate,
    )


def _weight_tenths_mg(
    part: MetalPart, added_mg: int, configured: Configured, product: Product
) -> int:
    """Tenths of a milligram, exact for every size; never below zero."""
    above_tenths = 0
    if product.sizes is not None and configured.size_tenths is not None:
        above_tenths = configured.size_tenths - product.sizes.base_tenths
    return max(0, 10 * (part.weight_mg + added_mg) + part.per_size_mg * above_tenths)


def _added(
    tables: Mapping[str, Mapping[str, int]], configuration: Mapping[str, str], place: str
) -> int:
    """Return the sum of what the values of `configuration` add."""
    total = 0
    for option, table in tables.items():
        value = configuration.get(option, "")
        if value not in table:
            raise InvalidProduct([missing_from_table(f"{place}.{option}", value, table)])
        total += table[value]
    return total


def missing_from_table(field: str, value: str, table: Mapping[str, int]) -> FieldFault:
    """Return the fault of a table that says nothing of a value on offer."""
    return FieldFault(
        field=field,
        given=", ".join(table)[:200],
        problem=f"says nothing of {value}, which is on offer",
    )


def _line(part: Part, cost: _Cost, pricing: Pricing, tax_bp: int, language: str | None) -> Line:
    markup_bp = pricing.markup_bp if part.markup_bp is None else part.markup_bp
    numerator = cost.numerator * (BASIS_POINTS + markup_bp) * (BASIS_POINTS + tax_bp)
    return Line(
        kind=cost.kind,
        title=_title(part, language),
        quantity=cost.quantity,
        unit=cost.unit,
        amount_minor=divide(numerator, cost.denominator * BASIS_POINTS**2),
        rate=cost.rate.key if cost.rate else None,
    )


def _round(lines: list[Line], pricing: Pricing, language: str | None) -> int:
    """Return the sum of `lines` as the product's rounding has it; add a line where that moved."""
    summed_minor = sum(line.amount_minor for line in lines)
    rounded_minor = pricing.rounding.apply(summed_minor)
    if rounded_minor != summed_minor:
        lines.append(
            Line(
                kind=LineKind.ROUNDING,
                title=_title(pricing.rounding_label, language),
                quantity=None,
                unit=None,
                amount_minor=rounded_minor - summed_minor,
                rate=None,
            )
        )
    return rounded_minor


def _tax_line(tax: Rate, tax_minor: int, pricing: Pricing, language: str | None) -> Line:
    return Line(
        kind=LineKind.TAX,
        title=_title(pricing.tax_label, language),
        quantity=spell_decimal(tax.amount, 2),
        unit=Unit.PERCENT,
        amount_minor=tax_minor,
        rate=tax.key,
    )


def _title(named: Part | Label, language: str | None) -> str:
    tag = pick_language(language, named.titles)
    return named.titles[tag] if tag else named.title


def _used(rate: Rate) -> RateUsed:
    return RateUsed(
        kind=rate.kind, key=rate.key, revision=rate.revision, valid_from=rate.valid_from
    )

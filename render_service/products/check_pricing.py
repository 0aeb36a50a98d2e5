"""What is wrong with a product's rules of price: names that are not there, and values left out.

A value on offer that a table says nothing of, or a configuration without metal, would be sold at a
wrong price or at none; both are found here, before anything is sold.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import product as combinations
from math import prod
from typing import Final

from render_service.composition.configuration import forbids
from render_service.composition.model import Composition, satisfied
from render_service.errors import FieldFault
from render_service.products.model import Product
from render_service.products.money import Rounding
from render_service.products.pricing import missing_from_table
from render_service.products.rules import ChargePart, MetalPart, Part
from render_service.products.spelling import KEY_LENGTH_MAX, fields_in, fill, misspelt

_COMBINATIONS_MAX: Final = 20_000
"""Where more would have to be looked at for one without metal, none is: it bounds a write."""


def pricing_faults(
    product: Product, offered: Composition, composition: Composition, unsound: Collection[str]
) -> Iterator[FieldFault]:
    """Yield what is wrong with the rules by which `product` is priced.

    Args:
        product: What is sold.
        offered: The composition as the product narrows it.
        composition: The composition: what is not on offer may be named as well.
        unsound: Options of the product with faults of their own: they may be named freely.
    """
    yield from _rounding_faults(product.pricing.rounding)
    names = _Names(offered, composition, unsound)
    for index, part in enumerate(product.pricing.parts):
        place = f"pricing.parts[{index}]"
        yield from _when_faults(part, place, names)
        if isinstance(part, ChargePart):
            continue
        yield from _rate_faults(part.rate, f"{place}.rate", names)
        yield from _table_faults(part.by, part, f"{place}.by", names)
        if isinstance(part, MetalPart) and part.per_size_mg and product.sizes is None:
            yield FieldFault(
                field=f"{place}.per_size_mg",
                given=str(part.per_size_mg),
                problem="has no meaning: the product has no sizes",
            )
    if not unsound:
        yield from _metal_faults(product, offered)


class _Names:
    """What the rules may name."""

    def __init__(
        self, offered: Composition, composition: Composition, unsound: Collection[str]
    ) -> None:
        self.offered, self._composition, self._unsound = offered, composition, unsound

    def option_faults(self, option: str, field: str) -> Iterator[FieldFault]:
        """Yield the fault where `option` is none of the product's."""
        if option not in self.offered.options and option not in self._unsound:
            yield FieldFault(
                field=field,
                given=option,
                problem="is no option of the product",
                offered=tuple(self.offered.options),
            )

    def value_faults(
        self, option: str, values: Collection[str], field: str
    ) -> Iterator[FieldFault]:
        """Yield a fault for each of `values` that `option` does not have at all."""
        if option not in self.offered.options:
            return
        known = self._composition.options[option].ids
        for value in values:
            if value not in known:
                problem = f"is no value of {option}"
                yield FieldFault(field=field, given=value, problem=problem, offered=known)


def _rounding_faults(rounding: Rounding) -> Iterator[FieldFault]:
    if rounding.less_minor >= rounding.to_minor:
        yield FieldFault(
            field="pricing.rounding.less_minor",
            given=str(rounding.less_minor),
            problem=f"is not below to_minor, {rounding.to_minor}",
        )


def _when_faults(part: Part, place: str, names: _Names) -> Iterator[FieldFault]:
    for option, values in part.condition.items():
        field = f"{place}.when.{option}"
        yield from names.option_faults(option, field)
        yield from names.value_faults(option, values, field)


def _rate_faults(template: str, field: str, names: _Names) -> Iterator[FieldFault]:
    for option in dict.fromkeys(fields_in(template)):
        yield from names.option_faults(option, field)
    longest = {
        option: max(names.offered.options[option].ids, key=len)
        if option in names.offered.options
        else "x"
        for option in fields_in(template)
    }
    key = fill(template, longest)
    if problem := misspelt("key", key):
        yield FieldFault(field=field, given=template, problem=f"{problem}; {{option}} for a value")
    elif len(key) > KEY_LENGTH_MAX:
        problem = f"makes keys of up to {len(key)} characters, over {KEY_LENGTH_MAX}"
        yield FieldFault(field=field, given=template, problem=problem)


def _table_faults(
    by: Mapping[str, Mapping[str, int]], part: Part, place: str, names: _Names
) -> Iterator[FieldFault]:
    for option, table in by.items():
        field = f"{place}.{option}"
        yield from names.option_faults(option, field)
        yield from names.value_faults(option, table, field)
        if option not in names.offered.options:
            continue
        reached = part.condition.get(option)
        for value in names.offered.options[option].ids:
            if value not in table and (reached is None or value in reached):
                yield missing_from_table(field, value, table)


def _metal_faults(product: Product, offered: Composition) -> Iterator[FieldFault]:
    """Yield the fault where some have metal in their price and one configuration has none."""
    conditions = [part.condition for part in product.pricing.parts if isinstance(part, MetalPart)]
    options = list(dict.fromkeys(o for one in conditions for o in one if o in offered.options))
    if not conditions or any(o not in offered.options for one in conditions for o in one):
        return
    values = [offered.options[option].ids for option in options]
    if prod(map(len, values)) > _COMBINATIONS_MAX:
        return
    for chosen in combinations(*values):
        configuration = dict(zip(options, chosen, strict=True))
        if not any(satisfied(condition, configuration) for condition in conditions) and not (
            forbids(offered, configuration)
        ):
            named = ", ".join(f"{option}={value}" for option, value in configuration.items())
            problem = "is on offer and has no metal in its price; other configurations have"
            yield FieldFault(field="pricing.parts", given=named, problem=problem)
            return

"""Product × selection × size → what is sold: defaults filled, rules checked, one hash.

The hash stands for the product's options and nothing else, so that price and picture are found by
the same name: neither the ring size nor an option of the picture alone (a background) is in it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from render_service.composition.configuration import check_names, resolve, rules_among
from render_service.composition.model import Composition, Option
from render_service.errors import (
    FieldFault,
    ForbiddenConfiguration,
    InvalidProduct,
    SizeNotOffered,
)
from render_service.products.model import Product, ProductOption
from render_service.products.sizes import is_size, parse_tenths, spell_tenths

HASH_LENGTH: Final = 32
"""Hex digits of a configuration's hash: 128 bits, so that no two of 10^15 meet by chance."""

_CONTEXT: Final = "render-service configuration 1"


class Configured(Struct, frozen=True, kw_only=True):
    """One configuration of a product, known to be made.

    Attributes:
        configuration: The product's options and their values, in the composition's order.
        picture: What was selected of the composition's other options, in its order; they are of
            the picture only.
        hash: The configuration's name: 32 hex digits.
        size_tenths: Ring size, inner circumference in tenths of a millimetre; None where the
            product has no sizes.
    """

    configuration: Mapping[str, str]
    picture: Mapping[str, str]
    hash: str
    size_tenths: int | None

    @property
    def size(self) -> str | None:
        """The ring size in millimetres as it is spelt, or None."""
        return None if self.size_tenths is None else spell_tenths(self.size_tenths)


def configure(
    product: Product,
    composition: Composition,
    selection: Mapping[str, str],
    size: str | None = None,
) -> Configured:
    """Return what `selection` and `size` come to.

    Args:
        product: What is sold.
        composition: What draws it.
        selection: Values of the product's options, and of others of the composition; what is not
            selected has its default.
        size: Ring size in millimetres, as `52` or `52.5`; None is the base size.

    Raises:
        UnknownOption: The composition has no such option.
        UnknownValue: The product does not offer that value, or the composition does not have it.
        ForbiddenConfiguration: It is not made; names the nearest that is, of those on offer.
        SizeNotOffered: The product is not made in that size.
        InvalidProduct: The product's options do not fit the composition.
    """
    narrowed = narrow(product, composition)
    beside = {
        option: value for option, value in selection.items() if option not in narrowed.options
    }
    check_names(composition, beside)
    chosen = {option: value for option, value in selection.items() if option in narrowed.options}
    found = resolve(narrowed, chosen)
    if not found.valid:
        conflicts = [(conflict.all, conflict.reason) for conflict in found.conflicts]
        raise ForbiddenConfiguration(conflicts, found.nearest)
    return Configured(
        configuration=found.configuration,
        picture={option: beside[option] for option in composition.options if option in beside},
        hash=hash_configuration(composition.id, found.configuration),
        size_tenths=_read_size(product, size),
    )


def hash_configuration(composition: str, configuration: Mapping[str, str]) -> str:
    """Return the name of a configuration: the head of a SHA-256, in lower-case hex.

    Hashed are a context, the composition's id and `option=value` of each option, a line each. Ids
    hold neither `=` nor a line's end, so no two configurations read alike.

    Args:
        composition: Its id.
        configuration: The product's options, in the composition's order.
    """
    lines = (_CONTEXT, composition, *(f"{option}={v}" for option, v in configuration.items()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:HASH_LENGTH]


def narrow(product: Product, composition: Composition) -> Composition:
    """Return the composition as the product offers it: its options, values, defaults and rules.

    It has no views: a configuration is made or not made whatever shows it. A rule that an option of
    the picture takes part in is the picture's affair.

    Raises:
        InvalidProduct: The product's options do not fit the composition.
    """
    if faults := list(option_faults(product, composition)):
        raise InvalidProduct(faults)
    offered = {
        known.id: _narrow_option(option, known)
        for known in composition.options.values()
        if (option := product.option(known.id)) is not None
    }
    return replace(
        composition,
        options=offered,
        rules=rules_among(composition, offered),
        views={},
        qualities=(),
    )


def option_faults(product: Product, composition: Composition) -> Iterator[FieldFault]:
    """Yield what of the product's options, values and defaults the composition does not have."""
    seen: set[str] = set()
    for index, option in enumerate(product.options):
        place = f"options[{index}]"
        known = composition.options.get(option.id)
        if known is None:
            yield FieldFault(
                field=f"{place}.id",
                given=option.id,
                problem=f"is no option of {composition.id}",
                offered=tuple(composition.options),
            )
        elif option.id in seen:
            yield FieldFault(field=f"{place}.id", given=option.id, problem="is there twice")
        else:
            yield from _value_faults(option, known, place)
        seen.add(option.id)


def _value_faults(option: ProductOption, known: Option, place: str) -> Iterator[FieldFault]:
    values = known.ids if option.values is None else option.values
    for index, value in enumerate(values):
        if value not in known.ids:
            yield FieldFault(
                field=f"{place}.values[{index}]",
                given=value,
                problem=f"is no value of {known.id}",
                offered=known.ids,
            )
        elif value in values[:index]:
            yield FieldFault(
                field=f"{place}.values[{index}]", given=value, problem="is there twice"
            )
    default = known.default if option.default is None else option.default
    if default not in values:
        whose = "is not on offer" if option.default else "is the composition's and not on offer"
        yield FieldFault(field=f"{place}.default", given=default, problem=whose, offered=values)


def _narrow_option(option: ProductOption, known: Option) -> Option:
    """Return the composition's option with the product's values and default."""
    if option.values is None:
        return replace(known, default=option.default or known.default)
    values = {value.id: value for value in known.values}
    return replace(
        known,
        values=tuple(values[value] for value in option.values),
        default=option.default or known.default,
    )


def _read_size(product: Product, size: str | None) -> int | None:
    sizes = product.sizes
    if sizes is None:
        if size is not None:
            raise SizeNotOffered(size, f"{product.id} has no sizes")
        return None
    if size is None:
        return sizes.base_tenths
    if not is_size(size) or parse_tenths(size) not in sizes.tenths:
        raise SizeNotOffered(size, f"{product.id} is made in {sizes}, spelt as 52 or 52.5")
    return parse_tenths(size)

"""Everything wrong with a product, against its composition: all at once, none twice.

An option with faults of its own may be named freely: its faults are noted where they are, and not
again by everything that names it.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from render_service.composition.configuration import resolve, rules_among
from render_service.composition.model import Composition
from render_service.errors import FieldFault
from render_service.products.check_pricing import pricing_faults
from render_service.products.configure import option_faults
from render_service.products.model import Product, Role
from render_service.products.sizes import size_faults
from render_service.products.sku import code_faults, template_faults
from render_service.products.spelling import misspelt

_CONTROLS: Final = frozenset({"Cc", "Cs"})
_WHITE: Final = frozenset("\t\n\r")
"""Control characters that texts may hold. PostgreSQL refuses NUL, and no page shows the others."""


def check_product(product: Product, composition: Composition) -> list[FieldFault]:
    """Return everything wrong with `product`; nothing where it can be sold.

    What its types say, lengths and counts say, is known of a product that was parsed.

    Args:
        product: What is to be sold.
        composition: What draws it.
    """
    faults = list(_misspelt(product))
    if product.sizes is not None:
        faults += size_faults(product.sizes)
    faults += _media_faults(product)
    if product.composition == composition.id:
        faults += _faults_against(product, composition, sized=not _at("sizes", faults))
    else:
        problem = f"is not the composition it is checked against, {composition.id}"
        faults.append(_fault("composition", product.composition, problem))
    named = {fault.field for fault in faults}
    faults += (fault for fault in _control_faults(product) if fault.field not in named)
    return list(dict.fromkeys(faults))


def _faults_against(
    product: Product, composition: Composition, *, sized: bool
) -> Iterator[FieldFault]:
    """Yield what does not fit the composition; `sized`: what it says of sizes is sound."""
    yield from option_faults(product, composition)
    offered = _sound_part(product, composition)
    unsound = {option.id for option in product.options} - set(offered.options)
    if all(option.default in option.ids for option in offered.options.values()):
        yield from _default_faults(offered)
    yield from template_faults(product, offered, unsound, sized=sized)
    yield from code_faults(product, offered, composition)
    yield from pricing_faults(product, offered, composition, unsound)
    yield from _word_faults(product, offered, composition, unsound)


def _sound_part(product: Product, composition: Composition) -> Composition:
    """Return the composition narrowed to what the product offers of it and it has."""
    options = {}
    for known in composition.options.values():
        option = product.option(known.id)
        if option is None:
            continue
        wanted = known.ids if option.values is None else option.values
        values = tuple(value for value in known.values if value.id in wanted)
        if values:
            default = known.default if option.default is None else option.default
            options[known.id] = replace(known, values=values, default=default)
    rules = rules_among(composition, options)
    return replace(composition, options=options, rules=rules, views={}, qualities=())


def _default_faults(offered: Composition) -> Iterator[FieldFault]:
    found = resolve(offered, {})
    for conflict in found.conflicts:
        given = ", ".join(f"{option}={value}" for option, value in conflict.all.items())
        nearest = ", ".join(f"{o}={v}" for o, v in (found.nearest or {}).items())
        yield FieldFault(
            field="options",
            given=given,
            problem=f"are defaults that are not made together: {conflict.reason}",
            offered=(nearest,) if nearest else (),
        )


def _word_faults(
    product: Product, offered: Composition, composition: Composition, unsound: set[str]
) -> Iterator[FieldFault]:
    """Yield what translations name that is not there."""
    for tag, translation in product.translations.items():
        place = f"translations.{tag}"
        if tag == product.language:
            yield _fault(place, tag, "is the language of the product itself")
        for option, words in translation.options.items():
            if option in offered.options:
                known = composition.options[option].ids
                for value in words.values:
                    if value not in known:
                        field = f"{place}.options.{option}.values.{value}"
                        yield _fault(field, value, f"is no value of {option}", known)
            elif option not in unsound:
                field = f"{place}.options.{option}"
                yield _fault(field, option, "is no option of the product", tuple(offered.options))


def _media_faults(product: Product) -> Iterator[FieldFault]:
    ids = [media.id for media in product.media]
    mains = 0
    for index, media in enumerate(product.media):
        if media.id in ids[:index]:
            yield _fault(f"media[{index}].id", media.id, "is there twice")
        mains += media.role is Role.MAIN
        if media.role is Role.MAIN and mains > 1:
            yield _fault(f"media[{index}].role", media.role, "is there twice; one is the main one")


def _misspelt(product: Product) -> Iterator[FieldFault]:
    for kind, field, text in _spelt(product):
        if problem := misspelt(kind, text):
            yield _fault(field, text, problem)
    for name, values in product.attributes.items():
        for index, value in enumerate(values):
            if value in values[:index]:
                yield _fault(f"attributes.{name}[{index}]", value, "is there twice")


def _spelt(product: Product) -> Iterator[tuple[str, str, str]]:
    """Yield (kind of spelling, field, text) of what a pattern spells, but for SKUs and rates."""
    yield "id", "id", product.id
    yield "tag", "language", product.language
    for name in product.attributes:
        yield "id", f"attributes.{name}", name
    for index, media in enumerate(product.media):
        yield "media", f"media[{index}].id", media.id
        yield from _tags(f"media[{index}].alt", media.alt)
    yield from _tags("translations", product.translations)
    pricing = product.pricing
    yield "key", "pricing.tax_class", pricing.tax_class
    yield from _tags("pricing.rounding_label.titles", pricing.rounding_label.titles)
    yield from _tags("pricing.tax_label.titles", pricing.tax_label.titles)
    for index, part in enumerate(pricing.parts):
        yield from _tags(f"pricing.parts[{index}].titles", part.titles)


def _tags(place: str, by_language: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for tag in by_language:
        yield "tag", f"{place}.{tag}", tag


def _control_faults(product: Product) -> Iterator[FieldFault]:
    for field, text in _texts("", msgspec.to_builtins(product)):
        found = next((c for c in text if _is_control(c)), None)
        if found is not None:
            given = text.encode("ascii", "backslashreplace").decode()
            yield _fault(field, given, f"holds the control character U+{ord(found):04X}")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS and character not in _WHITE


def _texts(place: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield (field, text) of every text in `value`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{place}.{key}" if place else str(key), item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(f"{place}[{index}]", item)


def _at(place: str, faults: list[FieldFault]) -> bool:
    return any(fault.field.startswith(f"{place}.") for fault in faults)


def _fault(field: str, given: str, problem: str, offered: tuple[str, ...] = ()) -> FieldFault:
    return FieldFault(field=field, given=given[:200], problem=problem, offered=offered[:20])

"""SKUs: configuration and ring size ↔ one string, exact in both directions.

No two configurations of a product share a SKU, and every SKU has one reading: what is on offer and
not in the template has one value only, the codes of an option differ, and each code either ends at
a separator, which no code holds, or is no beginning of another. `template_faults` sees to it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from render_service.composition.model import Composition
from render_service.errors import FieldFault, InvalidProduct, UnknownSku
from render_service.products.configure import Configured, configure, narrow
from render_service.products.model import Product
from render_service.products.sizes import spell_tenths
from render_service.products.spelling import SKU_LENGTH_MAX, fields_in, misspelt

SIZE: Final = "size"
"""The name in a template that stands for the ring size."""

_SEPARATORS: Final = "-_"
_PIECE: Final = re.compile(r"\{([a-z0-9-]+)\}|([A-Z0-9_-]+)", re.ASCII)


class _Piece(Struct, frozen=True, kw_only=True):
    """A part of a template: text, or a name with its values by code.

    Attributes:
        text: As it stands; "" for a name.
        name: An option or `size`; "" for text.
        values: Code → value, for a name.
        bounded: A separator or the end follows.
    """

    text: str
    name: str
    values: Mapping[str, str]
    bounded: bool


def make_sku(product: Product, configured: Configured) -> str:
    """Return the SKU of a configuration of `product`.

    Raises:
        InvalidProduct: A value has no code.
    """
    made = []
    for name, text in _PIECE.findall(product.sku):
        if text:
            made.append(text)
        elif name == SIZE and product.sizes is not None:
            made.append(configured.size or "")
        else:
            made.append(_code(product, name, configured.configuration[name]))
    return "".join(made)


def parse_sku(product: Product, composition: Composition, sku: str) -> Configured:
    """Return the configuration and ring size that `sku` stands for.

    Raises:
        UnknownSku: It is not of the product's form, or holds a code that is not on offer.
        ForbiddenConfiguration: It names a configuration that is not made any more.
        InvalidProduct: The product's options do not fit the composition, or have no codes.
    """
    values: dict[str, str] = {}
    rest = sku
    for piece in _pieces(product, composition):
        length = _match(piece, rest)
        if length is None:
            raise UnknownSku(product.id, sku, product.sku)
        if piece.name:
            values[piece.name] = piece.values[rest[:length]]
        rest = rest[length:]
    if rest:
        raise UnknownSku(product.id, sku, product.sku)
    size = values.pop(SIZE, None) if product.sizes is not None else None
    return configure(product, composition, values, size)


def template_faults(
    product: Product, offered: Composition, unsound: Collection[str], *, sized: bool
) -> Iterator[FieldFault]:
    """Yield what keeps the template from giving each configuration a SKU of its own.

    Args:
        product: What is sold.
        offered: The composition as the product narrows it.
        unsound: Options of the product with faults of their own: they may be named freely.
        sized: What the product says of sizes is sound.
    """
    if problem := misspelt("template", product.sku):
        yield _fault(product, problem)
        return
    yield from _name_faults(product, offered, unsound)
    if product.sizes is not None and SIZE in offered.options:
        yield _fault(product, "has {size} stand for an option and for the ring size")
    elif sized and all(_has_codes(product, offered, name) for name in fields_in(product.sku)):
        yield from _reading_faults(product, offered)


def _name_faults(
    product: Product, offered: Composition, unsound: Collection[str]
) -> Iterator[FieldFault]:
    names = fields_in(product.sku)
    known = (*offered.options, *((SIZE,) if product.sizes is not None else ()))
    for name in dict.fromkeys(names):
        if name not in known and name not in unsound:
            yield _fault(product, f"names {{{name}}}, which is nothing of the product", known)
        elif names.count(name) > 1:
            yield _fault(product, f"names {{{name}}} twice")
    for name in known:
        if name not in names and _differs(product, offered, name):
            yield _fault(product, f"does not name {{{name}}}, by which configurations differ")


def code_faults(
    product: Product, offered: Composition, composition: Composition
) -> Iterator[FieldFault]:
    """Yield what is wrong with the codes of the product's options.

    Args:
        product: What is sold.
        offered: The composition as the product narrows it; what it does not
            have, or has twice, is an option's fault and no code's.
        composition: The composition.
    """
    names = fields_in(product.sku)
    for index, option in enumerate(product.options):
        if option.id not in offered.options or option is not product.option(option.id):
            continue
        place = f"options[{index}].codes"
        for value in offered.options[option.id].ids if option.id in names else ():
            if value not in option.codes:
                yield FieldFault(
                    field=f"{place}.{value}", given="", problem="is missing: the SKU needs it"
                )
        yield from _spelt_faults(option.codes, composition.options[option.id].ids, place)


def _spelt_faults(
    codes: Mapping[str, str], known: tuple[str, ...], place: str
) -> Iterator[FieldFault]:
    seen: dict[str, str] = {}
    for value, code in codes.items():
        field = f"{place}.{value}"
        if value not in known:
            yield FieldFault(field=field, given=value, problem="is no value", offered=known)
        elif problem := misspelt("code", code):
            yield FieldFault(field=field, given=code, problem=problem)
        elif code in seen:
            problem = f"is the code of {seen[code]} too"
            yield FieldFault(field=field, given=code, problem=problem)
        else:
            seen[code] = value


def _differs(product: Product, offered: Composition, name: str) -> bool:
    """Return whether configurations can differ by `name`, an option or the ring size."""
    if name == SIZE and product.sizes is not None:
        return True
    return len(offered.options[name].values) > 1


def _reading_faults(product: Product, offered: Composition) -> Iterator[FieldFault]:
    """Yield where a SKU could be read in two ways, or is too long for a label."""
    pieces = _pieces_of(product, offered)
    for piece in pieces:
        codes = sorted(piece.values)
        # Sorted, a code stands right before the first that it begins.
        clash = next((pair for pair in pairwise(codes) if pair[1].startswith(pair[0])), None)
        if piece.name and not piece.bounded and clash is not None:
            yield _fault(
                product,
                f"needs a - or _ behind {{{piece.name}}}: the code {clash[0]} begins {clash[1]}",
            )
    longest = sum(max(map(len, piece.values), default=len(piece.text)) for piece in pieces)
    if longest > SKU_LENGTH_MAX:
        yield _fault(product, f"makes SKUs of up to {longest} characters, over {SKU_LENGTH_MAX}")


def _pieces(product: Product, composition: Composition) -> Sequence[_Piece]:
    return _pieces_of(product, narrow(product, composition))


def _pieces_of(product: Product, offered: Composition) -> Sequence[_Piece]:
    found = _PIECE.findall(product.sku)
    follows = [text for _, text in found[1:]] + [_SEPARATORS]
    return [
        _Piece(
            text=text,
            name=name,
            values=_values(product, offered, name) if name else {},
            bounded=following[:1] in _SEPARATORS if following else False,
        )
        for (name, text), following in zip(found, follows, strict=True)
    ]


def _values(product: Product, offered: Composition, name: str) -> Mapping[str, str]:
    """Return code → value of what `name` stands for."""
    if name == SIZE and product.sizes is not None:
        return {size: size for size in map(spell_tenths, product.sizes.tenths)}
    return {_code(product, name, value): value for value in offered.options[name].ids}


def _code(product: Product, name: str, value: str) -> str:
    option = product.option(name)
    if option is None or value not in option.codes:
        fault = FieldFault(field=f"options.{name}.codes", given="", problem=f"has none for {value}")
        raise InvalidProduct([fault])
    return option.codes[value]


def _has_codes(product: Product, offered: Composition, name: str) -> bool:
    if name == SIZE and product.sizes is not None:
        return True
    option = product.option(name)
    return (
        option is not None
        and name in offered.options
        and set(offered.options[name].ids) <= set(option.codes)
    )


def _match(piece: _Piece, rest: str) -> int | None:
    """Return how many characters of `rest` the piece takes; None where it does not fit."""
    if piece.text:
        return len(piece.text) if rest.startswith(piece.text) else None
    for code in piece.values:
        after = rest[len(code) : len(code) + 1]
        if rest.startswith(code) and (not piece.bounded or not after or after in _SEPARATORS):
            return len(code)
    return None


def _fault(product: Product, problem: str, offered: tuple[str, ...] = ()) -> FieldFault:
    return FieldFault(field="sku", given=product.sku[:200], problem=problem, offered=offered)

"""Bytes → Product, every field read by itself, so that one fault hides none in another field.

What is read here has the right types, lengths and counts; what it means is checked by `check.py`.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from render_service.errors import FieldFault, InvalidProduct
from render_service.products.model import Product, Role, Status
from render_service.products.money import Currency, Towards
from render_service.products.price import LineKind
from render_service.products.rules import Prices

PRODUCT_BYTES_MAX: Final = 1 << 20
"""The largest document that is read: a product with every text at its longest in ten languages."""

_AT: Final = re.compile(
    r"^(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$?(?P<path>.*?)`)?$", re.DOTALL
)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_CHOICES: Final[Mapping[str, type[Enum]]] = {
    "status": Status,
    "role": Role,
    "currency": Currency,
    "prices": Prices,
    "mode": Towards,
}
"""Fields of an enumeration, by the last name of their path."""

_KINDS: Final = (LineKind.METAL.value, LineKind.STONES.value, LineKind.CHARGE.value)


def parse_product(data: bytes) -> Product:
    """Return the product that `data`, a JSON document, describes.

    Raises:
        InvalidProduct: It describes none; carries a fault for each field that cannot be read.
    """
    if len(data) > PRODUCT_BYTES_MAX:
        problem = f"has {len(data)} bytes; at most {PRODUCT_BYTES_MAX} are read"
        raise InvalidProduct([FieldFault(field="", given="", problem=problem)])
    try:
        raw = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"is not JSON: {error}"
        raise InvalidProduct([FieldFault(field="", given="", problem=problem)]) from error
    return read_product(raw)


def read_product(raw: object) -> Product:
    """Return the product that `raw`, a JSON document already decoded, describes.

    Raises:
        InvalidProduct: As above.
    """
    if not isinstance(raw, dict):
        given = "null" if raw is None else type(raw).__name__
        raise InvalidProduct([FieldFault(field="", given=given, problem="is not an object")])
    if faults := list(_faults(raw)):
        raise InvalidProduct(faults)
    return msgspec.convert(raw, Product)


def _faults(raw: dict[Any, Any]) -> Iterator[FieldFault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(Product)}
    for name in raw:
        if name not in fields:
            yield FieldFault(
                field=str(name)[:200],
                given=_shown(raw[name]),
                problem="is no field of a product",
                offered=tuple(fields),
            )
    for name, field in fields.items():
        if name not in raw:
            if field.required:
                yield FieldFault(field=name, given="", problem="is missing")
            continue
        try:
            msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError as error:
            yield _fault(name, raw[name], str(error))


def _fault(name: str, value: object, said: str) -> FieldFault:
    match = _AT.match(said)
    problem, path = (match["said"], match["path"] or "") if match else (said, "")
    if match and match["key"]:
        problem = f"has a key that will not do: {problem}"
    last = (name + path).rpartition(".")[2]
    offered: tuple[str, ...] = ()
    if problem.startswith("Invalid enum") and last in _CHOICES:
        offered = tuple(str(member.value) for member in _CHOICES[last])
    elif problem.startswith("Invalid") and last == "kind":
        offered = _KINDS
    return FieldFault(
        field=name + path, given=_shown(_follow(value, path)), problem=problem, offered=offered
    )


def _follow(value: Any, path: str) -> object:  # noqa: ANN401 - any JSON
    """Return what stands at `path` in `value`, or the nearest above it that has a name."""
    for key, index in _STEP.findall(path):
        if key and isinstance(value, dict) and key in value:
            value = value[key]
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            break
    return value


def _shown(value: object) -> str:
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:200]

"""Reading products: types, lengths and counts, each fault with its field."""

import json
from enum import Enum

import msgspec
import pytest

from render_service.errors import InvalidProduct
from render_service.products.model import Product, Status
from render_service.products.parse import PRODUCT_BYTES_MAX, parse_product, read_product
from tests.products.builders import PRODUCT, build_product, ring


def faults(raw):
    with pytest.raises(InvalidProduct) as caught:
        read_product(raw)
    return caught.value.faults


def test_a_product_that_is_written_reads_back_the_same():
    product = build_product(
        {
            "status": "archived",
            "translations": {"de": {"title": "Ring", "options": {"metal": {"title": "Metall"}}}},
            "media": [{"id": "a", "role": "main", "alt": {"en": "A ring"}}],
            "attributes": {"style": ["solitaire"]},
        }
    )

    assert parse_product(msgspec.json.encode(product)) == product
    assert product.status is Status.ARCHIVED


def test_what_is_left_out_has_its_default():
    assert PRODUCT.status is Status.DRAFT
    assert PRODUCT.language == "en"
    assert (PRODUCT.text, PRODUCT.media, dict(PRODUCT.attributes)) == ("", (), {})


@pytest.mark.parametrize(
    ("changes", "field", "given", "said"),
    [
        ({"price": 5}, "price", "5", "no field of a product"),
        ({"title": None}, "title", "", "is missing"),
        ({"title": ""}, "title", "", "length >= 1"),
        ({"title": "x" * 201}, "title", "x" * 200, "length <= 200"),
        ({"status": "sold"}, "status", "sold", "Invalid enum"),
        ({"sizes.from_mm": 52}, "sizes.from_mm", "52", "Expected `str`"),
        ({"sizes.from_mm": 52.5}, "sizes.from_mm", "52.5", "Expected `str`"),
        ({"options.1.values": []}, "options[1].values", "[]", "length >= 1"),
        ({"options.1.colour": 1}, "options[1]", '{"id":"metal"', "unknown field `colour`"),
        ({"options": [{"id": "x"}] * 21}, "options", "[", "length <= 20"),
        ({"pricing.currency": "XXX"}, "pricing.currency", "XXX", "Invalid enum"),
        ({"pricing.markup_bp": 1.5}, "pricing.markup_bp", "1.5", "Expected `int`"),
        ({"pricing.markup_bp": "1"}, "pricing.markup_bp", "1", "Expected `int`"),
        ({"pricing.parts": []}, "pricing.parts", "[]", "length >= 1"),
        ({"pricing.parts.0.kind": "wood"}, "pricing.parts[0].kind", "wood", "Invalid value"),
        ({"pricing.parts.0.weight_mg": -1}, "pricing.parts[0].weight_mg", "-1", ">= 0"),
        ({"pricing.parts.0.weight_mg": 10**8}, "pricing.parts[0].weight_mg", "1", "<= 10000000"),
        ({"pricing.parts.3.each": 0}, "pricing.parts[3].each", "0", ">= 1"),
        ({"pricing.parts.3.amount_minor": 2.5}, "pricing.parts[3].amount_minor", "2.5", "`int`"),
        ({"pricing.parts.2.when.metal": []}, "pricing.parts[2].when[...]", "{", "length >= 1"),
        ({"pricing.rounding": {"mode": "away"}}, "pricing.rounding.mode", "away", "Invalid enum"),
        ({"translations": {"D": {}}}, "translations", "{", "a key that will not do: Expected"),
        ({"attributes": {"style": []}}, "attributes[...]", "{", "length >= 1"),
        ({"media": [{"id": "a", "role": "hero"}]}, "media[0].role", "hero", "Invalid enum"),
    ],
)
def test_what_cannot_be_read_is_one_fault_with_its_field(changes, field, given, said):
    (fault,) = faults(ring(changes))

    assert fault.field == field
    assert fault.given.startswith(given)
    assert said in fault.problem


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({"status": "sold"}, ("draft", "active", "archived")),
        ({"pricing.prices": "net"}, ("include_tax", "exclude_tax")),
        ({"pricing.parts.0.kind": "wood"}, ("metal", "stones", "charge")),
        ({"media": [{"id": "a", "role": "x"}]}, ("main", "gallery", "detail", "worn")),
    ],
)
def test_a_choice_that_is_none_lists_those_there_are(changes, offered):
    (fault,) = faults(ring(changes))

    assert fault.offered == offered


def test_every_field_that_is_wrong_is_told_at_once():
    found = faults(ring({"title": 1, "text": 2, "pricing.currency": "X", "price": 3, "id": None}))

    assert {fault.field for fault in found} == {"title", "text", "pricing.currency", "price", "id"}


@pytest.mark.parametrize("raw", [None, [], "ring", 5])
def test_what_is_no_object_is_refused(raw):
    (fault,) = faults(raw)

    assert fault.problem == "is not an object"


@pytest.mark.parametrize("data", [b"", b"{", b'{"id": "\xff"}', b"\xff\xfe"])
def test_what_is_no_json_is_refused(data):
    with pytest.raises(InvalidProduct, match="is not JSON"):
        parse_product(data)


def test_a_document_that_is_too_large_is_not_read():
    with pytest.raises(InvalidProduct, match="at most 1048576 are read"):
        parse_product(b" " * (PRODUCT_BYTES_MAX + 1))


def schema_bounds(schema, defs):
    """Yield every text, list and table of the schema that has no upper bound."""
    if "$ref" in schema:
        return
    kind = schema.get("type")
    if kind == "string" and "maxLength" not in schema and "enum" not in schema:
        yield schema
    if kind == "array" and "maxItems" not in schema:
        yield schema
    if kind == "object" and "additionalProperties" in schema and "properties" not in schema:
        if "maxProperties" not in schema:
            yield schema
        yield from schema_bounds(schema["propertyNames"], defs)
        yield from schema_bounds(schema["additionalProperties"], defs)
    for below in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from schema_bounds(below, defs)
    if isinstance(schema.get("items"), dict):
        yield from schema_bounds(schema["items"], defs)


def test_the_schema_bounds_every_text_list_and_table_and_admits_no_other_field():
    schema = msgspec.json.schema(Product)
    kinds = [one for one in schema["$defs"].values() if one.get("type") == "object"]

    assert [found for one in kinds for found in schema_bounds(one, schema["$defs"])] == []
    assert all(one["additionalProperties"] is False for one in kinds)
    assert json.dumps(schema)


def test_every_enumeration_of_a_product_can_list_what_it_offers():
    from render_service.products.parse import _CHOICES

    schema = msgspec.json.schema(Product)["$defs"]
    enumerations = {name for name, one in schema.items() if "enum" in one}

    assert {kind.__name__ for kind in _CHOICES.values()} == enumerations
    assert all(issubclass(kind, Enum) for kind in _CHOICES.values())

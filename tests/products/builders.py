"""A ring, its rates and its configurations, small enough to reckon by hand."""

import copy
from datetime import UTC, datetime

from hypothesis import strategies as st

from render_service.composition.configuration import valid_configurations
from render_service.products.configure import configure
from render_service.products.money import Currency
from render_service.products.parse import read_product
from render_service.products.rates import Rate, RateKind, Rates
from tests.builders import build_composition

COMPOSITION = build_composition()
AT = datetime(2026, 11, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)

RING = {
    "id": "ring",
    "composition": "ring",
    "title": "Ring",
    "sizes": {"from_mm": "48", "to_mm": "60", "step_mm": "0.5", "base_mm": "54"},
    "options": [
        {"id": "gem", "codes": {"diamond": "D", "ruby": "R", "sapphire": "S", "emerald": "E"}},
        {"id": "metal", "codes": {"gold": "AU", "silver": "AG", "rhodium": "RH"}},
        {"id": "shape", "codes": {"round": "R", "oval": "O"}},
    ],
    "sku": "RG-{metal}-{gem}{shape}-{size}",
    "pricing": {
        "currency": "EUR",
        "tax_class": "standard",
        "prices": "include_tax",
        "parts": [
            {
                "kind": "metal",
                "title": "Metal",
                "titles": {"de": "Metall"},
                "rate": "{metal}",
                "weight_mg": 3000,
                "per_size_mg": 45,
                "by": {"shape": {"round": 0, "oval": 120}},
            },
            {
                "kind": "stones",
                "title": "Stone",
                "rate": "{gem}/{shape}",
                "by": {"gem": {"diamond": 1000, "ruby": 1100, "sapphire": 1100, "emerald": 800}},
            },
            {
                "kind": "charge",
                "title": "Plating",
                "when": {"metal": ["silver", "rhodium"], "gem": "diamond"},
                "amount_minor": 900,
            },
            {"kind": "charge", "title": "Prongs", "amount_minor": 250, "each": 4},
        ],
    },
}
"""The composition is `ring` of tests/builders.py; oval emeralds are forbidden there."""

METALS = {"gold": 7_800_000, "silver": 95_000, "rhodium": 95_000}
STONES = {
    f"{gem}/{shape}": amount
    for gem, amount in {
        "diamond": 390_000,
        "ruby": 150_000,
        "sapphire": 90_000,
        "emerald": 140_000,
    }.items()
    for shape in ("round", "oval")
}


def ring(changes=None):
    """The ring as JSON, with `changes`: path as a fault names it, without brackets → value."""
    raw = copy.deepcopy(RING)
    for path, value in (changes or {}).items():
        *above, last = (int(part) if part.isdigit() else part for part in path.split("."))
        table = raw
        for part in above:
            table = table.setdefault(part, {}) if isinstance(table, dict) else table[part]
        if value is None:
            del table[last]
        else:
            table[last] = value
    return raw


def build_product(changes=None):
    return read_product(ring(changes))


def build_rate(kind, key, amount, **fields):
    currency = None if kind is RateKind.TAX else Currency.EUR
    return Rate(
        **{
            "kind": kind,
            "key": key,
            "amount": amount,
            "currency": currency,
            "valid_from": START,
            **fields,
        }
    )


def all_rates(tax_bp=1900, metals=METALS, stones=STONES):
    return [
        *(build_rate(RateKind.METAL, key, amount) for key, amount in metals.items()),
        *(build_rate(RateKind.STONE, key, amount) for key, amount in stones.items()),
        build_rate(RateKind.TAX, "standard", tax_bp),
    ]


def build_rates(**changes):
    return Rates(all_rates(**changes))


PRODUCT = build_product()
RATES = build_rates()
OPTIONS = ("metal", "shape", "gem")
VALID = tuple(valid_configurations(COMPOSITION, OPTIONS))
VALID_SELECTIONS = st.sampled_from(VALID)
SIZES = st.sampled_from(
    [f"{t // 10}" + (f".{t % 10}" if t % 10 else "") for t in range(480, 601, 5)]
)


def configured(product=PRODUCT, size=None, **selection):
    return configure(product, COMPOSITION, selection, size)

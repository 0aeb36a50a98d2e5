"""SKUs: one for each configuration and size, and read back to exactly that."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from render_service.errors import ForbiddenConfiguration, InvalidProduct, UnknownSku
from render_service.products.check import check_product
from render_service.products.sizes import spell_tenths
from render_service.products.sku import make_sku, parse_sku
from tests.products.builders import (
    COMPOSITION,
    PRODUCT,
    SIZES,
    VALID,
    VALID_SELECTIONS,
    build_product,
    configured,
)


def sku_faults(changes):
    return [(f.field, f.problem) for f in check_product(build_product(changes), COMPOSITION)]


def test_a_sku_is_the_template_with_codes():
    found = configured(metal="silver", gem="ruby", shape="oval", size="52.5")

    assert make_sku(PRODUCT, found) == "RG-AG-RO-52.5"


@given(VALID_SELECTIONS, SIZES)
def test_a_sku_is_read_back_to_its_configuration_and_size(selection, size):
    found = configured(size=size, **selection)

    assert parse_sku(PRODUCT, COMPOSITION, make_sku(PRODUCT, found)) == found


def test_no_two_configurations_share_a_sku():
    sizes = [spell_tenths(tenths) for tenths in PRODUCT.sizes.tenths]
    made = [make_sku(PRODUCT, configured(size=s, **one)) for one in VALID for s in sizes]

    assert len(set(made)) == len(made) == len(VALID) * len(sizes)


CODES = st.text(alphabet="AB1", min_size=1, max_size=3)
PIECES = ["{metal}", "{gem}", "{shape}", "{size}"]
BEFORE = st.sampled_from(["", "A", "B1-", "-"])
# Mostly ended by a separator: what is not is refused more often than not.
BEHIND = st.sampled_from(["-", "_", "-A", "_1B", "--", "A-", ""])


@st.composite
def templates(draw):
    pieces = draw(st.permutations(PIECES))
    return draw(BEFORE) + "".join(piece + draw(BEHIND) for piece in pieces)


def tables(*values):
    return st.lists(CODES, min_size=len(values), max_size=len(values), unique=True).map(
        lambda codes: dict(zip(values, codes, strict=True))
    )


@given(
    templates(),
    tables("diamond", "ruby", "sapphire", "emerald"),
    tables("gold", "silver", "rhodium"),
    tables("round", "oval"),
    VALID_SELECTIONS,
    SIZES,
)
def test_whatever_template_and_codes_pass_the_check_every_sku_reads_back(
    template, gems, metals, shapes, selection, size
):
    product = build_product(
        {
            "sku": template,
            "options.0.codes": gems,
            "options.1.codes": metals,
            "options.2.codes": shapes,
        }
    )
    assume(not check_product(product, COMPOSITION))
    found = configured(product, size=size, **selection)

    assert parse_sku(product, COMPOSITION, make_sku(product, found)) == found


def test_codes_that_could_be_read_in_two_ways_are_a_fault():
    # RG-AU-RR-…: D-… would do, but R and RR before a cut R are read in two ways.
    (fault,) = sku_faults({"options.0.codes.diamond": "RR"})

    assert fault == ("sku", "needs a - or _ behind {gem}: the code R begins RR")


def test_the_same_codes_with_a_separator_are_none():
    changes = {"options.0.codes.diamond": "RR", "sku": "RG-{metal}-{gem}-{shape}-{size}"}

    assert sku_faults(changes) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sku": "RG-{metal}-{gem}-{size}"}, "does not name {shape}"),
        ({"sku": "RG-{metal}-{gem}-{shape}"}, "does not name {size}"),
        ({"sku": "RG-{metal}-{metal}-{gem}-{shape}-{size}"}, "names {metal} twice"),
        ({"sku": "{metal}-{gem}-{shape}-{size}-{colour}"}, "{colour}, which is nothing"),
        ({"sku": "{metal}-{gem}-{shape}-{size}-{background}"}, "{background}, which is nothing"),
        ({"sku": "rg {metal}"}, "misspelt"),
        ({"sku": "{metal}-{gem}-{shape}-{size"}, "misspelt"),
        ({"sku": "A" * 61 + "-{metal}-{gem}-{shape}-{size}"}, "characters, over 64"),
    ],
)
def test_a_template_by_which_skus_would_be_no_good_is_one_fault(changes, said):
    (fault,) = sku_faults(changes)

    assert fault[0] == "sku"
    assert said in fault[1]


def test_an_option_with_one_value_may_be_left_out():
    changes = {"options.2": {"id": "shape", "values": ["oval"], "default": "oval"}}
    changes |= {"options.0.values": ["diamond", "ruby"], "sku": "{metal}-{gem}-{size}"}
    product = build_product(changes)
    found = configured(product, metal="silver", size="50")

    assert check_product(product, COMPOSITION) == []
    assert make_sku(product, found) == "AG-D-50"
    assert parse_sku(product, COMPOSITION, "AG-D-50") == found


@pytest.mark.parametrize(
    ("code", "problem"),
    [("AG", "is the code of silver too"), ("a u", "misspelt"), ("A-U", "misspelt")],
)
def test_a_code_that_will_not_do_is_a_fault_of_its_value(code, problem):
    changes = {"options.1.codes": {"silver": "AG", "gold": code, "rhodium": "RH"}}
    ((field, said),) = sku_faults(changes)

    assert field == "options[1].codes.gold"
    assert problem in said


def test_a_value_on_offer_without_a_code_is_a_fault_and_cannot_be_ordered():
    product = build_product({"options.1.codes.gold": None})

    assert [f.field for f in check_product(product, COMPOSITION)] == ["options[1].codes.gold"]
    with pytest.raises(InvalidProduct, match="has none for gold"):
        make_sku(product, configured(product))


@pytest.mark.parametrize(
    "sku",
    [
        "",
        "RG",
        "RG-AU-DR",
        "RG-AU-DR-",
        "RG-AU-DR-54-",
        "RG-AU-DR-54X",
        "RG-AU-DR-54.0",
        "RG-AU-DR-47",
        "RG-XX-DR-54",
        "rg-au-dr-54",
        " RG-AU-DR-54",
    ],
)
def test_what_is_no_sku_of_the_product_is_refused_with_the_template(sku):
    with pytest.raises(UnknownSku) as caught:
        parse_sku(PRODUCT, COMPOSITION, sku)

    assert caught.value.facts == {"sku": sku, "template": PRODUCT.sku}


def test_a_sku_of_what_is_not_made_says_so():
    with pytest.raises(ForbiddenConfiguration, match="emeralds round only"):
        parse_sku(PRODUCT, COMPOSITION, "RG-AU-EO-54")

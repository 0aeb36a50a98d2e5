"""Ring sizes: one spelling each, whole tenths of a millimetre inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.products.check import check_product
from render_service.products.sizes import Sizes, is_size, parse_tenths, spell_tenths
from tests.products.builders import COMPOSITION, build_product


@given(st.integers(1, 9999))
def test_a_size_is_read_back_as_it_was_spelt(tenths):
    assert parse_tenths(spell_tenths(tenths)) == tenths


@given(st.text(alphabet="0123456789.,-+eE _٣", max_size=6))
def test_no_two_spellings_are_one_size(text):
    if is_size(text):
        assert spell_tenths(parse_tenths(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "52.0", "52.50", "52.", ".5", "052", "52,5", "5e1"),
        *("-52", "+52", " 52", "52\n", "1000", "٥٢", "nan"),
    ],
)
def test_what_is_no_size_as_it_is_spelt_is_refused(text):
    assert not is_size(text)
    with pytest.raises(ValueError, match="spelt as 52 or"):
        parse_tenths(text)


def test_the_sizes_on_offer_are_those_from_one_to_another_by_steps():
    sizes = Sizes(from_mm="52", to_mm="53.5", step_mm="0.5", base_mm="53")

    assert list(map(spell_tenths, sizes.tenths)) == ["52", "52.5", "53", "53.5"]
    assert sizes.base_tenths == 530


@pytest.mark.parametrize(
    ("sizes", "field", "said"),
    [
        (("60", "48", "1", "54"), "sizes.to_mm", "below the smallest"),
        (("48", "60.5", "1", "54"), "sizes.to_mm", "whole number of steps"),
        (("48", "60", "1", "54.5"), "sizes.base_mm", "not on offer"),
        (("48", "60", "1", "61"), "sizes.base_mm", "not on offer"),
        (("48", "60", "0", "54"), "sizes.step_mm", "no size"),
        (("48.0", "60", "1", "54"), "sizes.from_mm", "spelt as 52 or 52.5"),
        (("1", "60", "0.1", "54"), "sizes.step_mm", "591 sizes; at most 500"),
    ],
)
def test_sizes_that_do_not_fit_each_other_are_a_fault(sizes, field, said):
    fields = dict(zip(("from_mm", "to_mm", "step_mm", "base_mm"), sizes, strict=True))

    (fault,) = check_product(build_product({"sizes": fields}), COMPOSITION)

    assert fault.field == field
    assert said in fault.problem

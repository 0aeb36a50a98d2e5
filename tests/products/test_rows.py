"""Products as rows of a file: what is spelt is read back, what cannot be read is told by line."""

import contextlib
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.errors import InvalidProduct
from render_service.products.parse import PRODUCT_BYTES_MAX
from render_service.products.rows import RowFormat, RowReader, spell_header, spell_row
from tests.products.builders import PRODUCT

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
FORMATS = list(RowFormat)


def read(file, format_):
    reader = RowReader(format_)
    rows = [row for line in io.BytesIO(file) if (row := reader.take(line)) is not None]
    last = reader.end()
    return [*rows, last] if last else rows


def spell(products, format_):
    head = spell_header() if format_ is RowFormat.CSV else b""
    return head + b"".join(spell_row(product, format_) for product in products)


@pytest.mark.parametrize("format_", FORMATS)
@given(texts=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_what_is_spelt_is_read_back_whatever_its_texts_hold(format_, texts):
    products = [
        msgspec.structs.replace(
            PRODUCT, title=title, text=text, attributes={"style": (style, "plain")}
        )
        for title, text, style in texts
    ]
    rows = read(spell(products, format_), format_)
    assert [row.faults for row in rows] == [()] * len(products)
    raw = [msgspec.json.encode(row.raw) for row in rows]
    assert [msgspec.json.decode(one, type=type(PRODUCT)) for one in raw] == products


@pytest.mark.parametrize("format_", FORMATS)
@given(file=st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_rows_or_refused(format_, file):
    rows = []
    with contextlib.suppress(InvalidProduct):
        rows = read(file, format_)
    assert all(row.faults or row.raw is not None or b"null" in file for row in rows)


def test_a_cell_that_does_not_end_is_refused_after_a_bounded_number_of_lines():
    reader = RowReader(RowFormat.CSV)
    reader.take(spell_header())
    reader.take(b'"\n')
    with pytest.raises(InvalidProduct, match="from line 2 on that does not end"):
        take_all(reader, [b"\n"] * 2 * PRODUCT_BYTES_MAX)


def take_all(reader, lines):
    for line in lines:
        reader.take(line)

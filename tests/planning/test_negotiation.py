"""Which format a client gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_service.formats import Format
from render_service.planning.negotiation import negotiate, negotiate_type

OFFERED = (Format.AVIF, Format.WEBP, Format.JPEG, Format.PNG)
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROME, Format.AVIF),
        ("image/webp,image/*,*/*;q=0.8", Format.WEBP),
        ("*/*", Format.JPEG),
        (None, Format.JPEG),
        ("", Format.JPEG),
        ("image/*", Format.JPEG),
        ("image/png,image/*;q=0.5", Format.PNG),
        ("image/avif;q=0.5,image/webp;q=0.9", Format.WEBP),
        ("image/avif;q=0,image/webp", Format.WEBP),
        ("image/avif;q=0.1,image/jpeg", Format.JPEG),
        ("IMAGE/AVIF ; Q=1.0", Format.AVIF),
        ("image/avif;q=banana,image/webp;q=0.2", Format.WEBP),
        ("image/avif;q=2,image/webp;q=0.2", Format.WEBP),
        ("image/avif;q=nan,image/webp;q=0.2", Format.WEBP),
        ("text/html", Format.JPEG),
        ("image/avifx", Format.JPEG),
    ],
)
def test_the_best_accepted_format_is_sent(accept, expected):
    assert negotiate(accept, OFFERED) == expected


def test_where_transparency_is_kept_a_wildcard_gets_png():
    assert negotiate("*/*", (Format.AVIF, Format.WEBP, Format.PNG)) == Format.PNG


@given(st.text(max_size=300), st.permutations(OFFERED).flatmap(lambda p: st.just(p[:3])))
def test_any_header_gets_a_format_that_is_offered(accept, offered):
    assert negotiate(accept, offered) in offered


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "a/one;profile=x"),
        ("*/*", "a/one;profile=x"),
        ("a/*", "a/one;profile=x"),
        ("a/two", "a/two"),
        ("a/two;q=0.5, a/one", "a/one;profile=x"),
        ("a/two, */*;q=0.1", "a/two"),
        ("a/one;q=0, */*", "a/two"),
        ("text/html", "a/one;profile=x"),
        ("", "a/one;profile=x"),
    ],
)
def test_a_media_type_is_picked_by_q_values_and_parameters_do_not_matter(accept, expected):
    assert negotiate_type(accept, ("a/one;profile=x", "a/two")) == expected

from hypothesis import given
from hypothesis import strategies as st

from render_service.http.caching import Span, Unsatisfiable, is_current, pick_range

TAG = '"0123"'


@given(st.text(max_size=200))
def test_no_precondition_breaks_the_reader(header):
    assert is_current(header, TAG) in (True, False)


@given(st.text(max_size=60), st.integers(1, 10**9))
def test_no_range_breaks_the_reader(header, size):
    part = pick_range(header, None, TAG, size)
    assert part is None or isinstance(part, Unsatisfiable | Span)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 1000))
def test_a_part_lies_within_the_body(first, last, size):
    part = pick_range(f"bytes={first}-{last}", None, TAG, size)
    if isinstance(part, Span):
        assert 0 <= part.first <= part.last < size


def test_a_range_of_absurd_length_is_ignored():
    assert pick_range("bytes=" + "9" * 5000 + "-", None, TAG, 10) is None


def test_a_tag_inside_another_does_not_match():
    assert not is_current('"01"', TAG)
    assert not is_current('"x0123"', TAG)

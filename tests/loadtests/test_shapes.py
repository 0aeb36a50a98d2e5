import pytest

from loadtests.shapes import SHAPES, crowd_at


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("users", [1, 7, 500])
def test_a_shape_has_somebody_there_all_the_time_and_everybody_at_some_time(shape, users):
    there = [crowd_at(shape, at_s, users, 60.0).users for at_s in range(60)]
    assert 1 <= min(there) <= max(there) == users


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_ends_with_the_run(shape):
    assert crowd_at(shape, 60.0, 10, 60.0) is None


def test_a_ramp_only_ever_grows():
    there = [crowd_at("ramp", at_s, 100, 60.0).users for at_s in range(60)]
    assert there == sorted(there)
    assert there[0] == 1


def test_a_spike_is_tenfold_in_the_middle_third_and_at_once():
    there = [crowd_at("spike", at_s, 100, 60.0).users for at_s in range(60)]
    assert there == [10] * 20 + [100] * 20 + [10] * 20
    assert crowd_at("spike", 20.0, 100, 60.0).per_s == 100

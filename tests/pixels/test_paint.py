import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_service.errors import InvalidPlan
from render_service.pixels.paint import multiply_bands, paint
from render_service.pixels.raster import Raster
from render_service.planning.plan import ONE
from tests.pixels.builders import flat, noise, placement, raster

IDENTITY = [[ONE, 0, 0], [0, ONE, 0], [0, 0, ONE]]
matrices = st.lists(
    st.lists(st.integers(-9 * ONE, 9 * ONE), min_size=12, max_size=12), min_size=3, max_size=3
)


@given(matrix=matrices, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_painting_is_the_integer_product_rounded_half_up(matrix, seed):
    pixels = noise(seed, 3, 4, 12)

    painted = multiply_bands(pixels, tuple(map(tuple, matrix)))

    sums = pixels.reshape(-1, 12).astype(object) @ np.array(matrix, object).T
    exact = [[min(65535, max(0, (v + ONE // 2) // ONE)) for v in row] for row in sums]
    assert painted.reshape(-1, 3).tolist() == exact


@given(seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_painting_is_linear_within_rounding(seed):
    dice = np.random.default_rng(seed)
    matrix = tuple(map(tuple, dice.integers(0, ONE // 6, (3, 12)).tolist()))
    one, other = noise(seed, 4, 4, 12, most=30000), noise(seed + 1, 4, 4, 12, most=30000)

    together = multiply_bands(one + other, matrix).astype(int)
    apart = multiply_bands(one, matrix).astype(int) + multiply_bands(other, matrix)

    assert abs(together - apart).max() <= 1


def test_more_pixels_than_one_chunk_are_all_painted():
    pixels = noise(4, 130, 70, 3)

    assert np.array_equal(multiply_bands(pixels, tuple(map(tuple, IDENTITY))), pixels)


def test_a_layer_without_paint_is_drawn_as_it_is():
    tile = raster(noise(1, 4, 4, 3))

    assert paint(tile, placement()) is tile


def test_light_below_nothing_is_nothing():
    painted = paint(flat((9000, 1, 1)), placement(paint=[[-ONE, 0, 0]] * 3))

    assert (painted.light == 0).all()


def test_paint_leaves_coverage_alone():
    cover = noise(2, 4, 4, 1, most=ONE)[..., 0] | 1
    tile = raster(noise(1, 4, 4, 3), cover)

    painted = paint(tile, placement(paint=IDENTITY))

    assert np.array_equal(painted.alpha, cover)


def test_painting_nothing_gives_nothing_in_three_bands():
    assert paint(Raster.empty(12), placement(pages=4, paint=[[ONE] * 12] * 3)).bands == 3


def test_a_matrix_whose_sums_would_not_be_exact_is_refused():
    with pytest.raises(InvalidPlan, match="the most is 9007199254740991"):
        multiply_bands(noise(1, 1, 1, 3), ((1 << 40, 0, 0),))


RAMP = ((0, 0, 0, 0), (ONE // 2, ONE, 0, 0), (ONE, ONE, ONE, 0))


@pytest.mark.parametrize(
    ("grey", "colour"),
    [
        (0, [0, 0, 0]),
        (ONE // 4, [ONE // 2, 0, 0]),
        (ONE // 2, [ONE, 0, 0]),
        (3 * ONE // 4, [ONE, ONE // 2, 0]),
        (60000, [ONE, ONE, 0]),
    ],
)
def test_a_ramp_gives_its_colour_to_each_luminance(grey, colour):
    painted = paint(flat((grey, grey, grey)), placement(ramp=RAMP))

    assert painted.light[0, 0].tolist() == colour


def test_a_ramp_sees_the_surface_whatever_part_of_the_pixel_it_covers():
    half = ONE // 2

    painted = paint(flat((half // 2,) * 3, alpha=half), placement(ramp=RAMP))

    assert painted.light[0, 0].tolist() == [half, 0, 0]
    assert painted.alpha[0, 0] == half

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_service.pixels import blends, compose
from render_service.pixels.compose import Canvas, draw
from render_service.pixels.raster import Pixels, Raster
from render_service.pixels.tone import tone_table
from render_service.planning.plan import ONE, Blend
from tests.pixels.builders import PLAIN, flat, noise, placement, plan, raster

Layers = list[tuple[Blend, Raster]]


def drawn(layers: Layers, side_px: int = 16, alpha: bool = False) -> Canvas:
    placements = [
        placement(f"{number:064x}", blend=blend) for number, (blend, _) in enumerate(layers)
    ]
    tiles = {where: tile for where, (_, tile) in zip(placements, layers, strict=True)}
    return draw(plan(*placements, canvas=(side_px, side_px), alpha=alpha), tiles.__getitem__)


def shown(*light: int) -> list[int]:
    return tone_table(PLAIN)[list(light)].tolist()


def by_hand(layers: Layers, side_px: int, alpha: bool) -> Canvas:
    """The definition of the blends, pixel by pixel, in Python's own integers."""
    table = tone_table(PLAIN)
    canvas = np.zeros((side_px, side_px, 4 if alpha else 3), np.uint8)
    for y, x in np.ndindex(side_px, side_px):
        light, cover = [0, 0, 0], 0 if alpha else ONE
        for blend, tile in layers:
            row, column = y - tile.top_px, x - tile.left_px
            if 0 <= row < tile.height_px and 0 <= column < tile.width_px:
                source = tile.light[row, column].tolist()
                light, cover = meet(blend, light, cover, source, int(tile.alpha[row, column]))
        if alpha:
            light = [min(65535, (v * ONE + cover // 2) // cover) if cover else 0 for v in light]
            canvas[y, x, 3] = (cover * 255 + ONE // 2) // ONE
        canvas[y, x, :3] = table[light]
    return canvas


def meet(blend: Blend, below: list[int], under: int, light: list[int], cover: int):
    def share(value: int, of: int) -> int:
        return min(65535, (value * of + ONE // 2) // ONE)

    def most(value: int) -> int:
        return min(65535, value)

    laid = cover + share(under, ONE - cover)
    pairs = list(zip(below, light, strict=True))
    if blend is Blend.OVER:
        return [most(s + share(b, ONE - cover)) for b, s in pairs], laid
    if blend is Blend.ADD:
        return [most(s + b) for b, s in pairs], min(ONE, under + cover)
    filtered = [share(b, most(s + ONE - cover)) for b, s in pairs]
    return [
        most(f + share(s, ONE - under)) for f, (_, s) in zip(filtered, pairs, strict=True)
    ], laid


def mist(seed: int, height: int, width: int) -> Pixels:
    """Coverage as of glass or a shadow: partial everywhere."""
    return noise(seed, height, width, 1, most=ONE)[..., 0]


def surface(seed: int, height: int, width: int) -> Pixels:
    """Coverage as of metal: all or nothing, but for one pixel at an edge."""
    covered = np.where(mist(seed, height, width) < ONE // 2, np.uint16(0), np.uint16(ONE))
    covered[seed % height, seed % width] = (1, ONE // 3, ONE - 1)[seed % 3]
    return covered


@st.composite
def stacks(make):
    layers: Layers = []
    for _ in range(make(st.integers(0, 5))):
        seed = make(st.integers(0, 999))
        height, width = make(st.integers(1, 12)), make(st.integers(1, 12))
        most = make(st.sampled_from([300, ONE, 65535]))
        alpha = make(st.sampled_from([0, ONE, surface, mist]))
        if callable(alpha):
            alpha = alpha(seed, height, width)
        at = {"left_px": make(st.integers(-5, 10)), "top_px": make(st.integers(-5, 10))}
        tile = raster(noise(seed, height, width, 3, most=most), alpha, **at)
        layers.append((make(st.sampled_from(list(Blend))), tile))
    return layers


@given(layers=stacks(), alpha=st.booleans(), rows=st.sampled_from([1, 3, 64]))
@settings(max_examples=80, deadline=None)
def test_drawing_is_exactly_the_definition_of_its_blends(layers, alpha, rows):
    before, compose._STRIP_PIXELS = compose._STRIP_PIXELS, rows * 9
    try:
        canvas = drawn(layers, 9, alpha)
    finally:
        compose._STRIP_PIXELS = before

    assert np.array_equal(canvas, by_hand(layers, 9, alpha))


def test_no_layers_are_no_light():
    assert (drawn([]) == 0).all()


def test_no_layers_are_transparent_where_alpha_is_kept():
    canvas = drawn([], alpha=True)

    assert canvas.shape == (16, 16, 4)
    assert (canvas == 0).all()


def test_over_with_full_coverage_replaces_what_is_below():
    below, above = raster(noise(1, 16, 16, 3)), raster(noise(2, 16, 16, 3))

    both = drawn([(Blend.OVER, below), (Blend.OVER, above)])

    assert np.array_equal(both, drawn([(Blend.OVER, above)]))


def test_over_with_half_coverage_keeps_half_of_what_is_below():
    canvas = drawn([(Blend.OVER, flat((8000, 0, 0))), (Blend.OVER, flat((0, 900, 0), ONE // 2))])

    assert canvas[4, 4].tolist() == shown(4000, 900, 0)


def test_multiply_filters_what_is_below():
    grey = flat((ONE // 2, ONE // 4, ONE))

    canvas = drawn([(Blend.OVER, flat((8000, 8000, 8000))), (Blend.MULTIPLY, grey)])

    assert canvas[4, 4].tolist() == shown(4000, 2000, 8000)


def test_multiply_leaves_alone_what_it_does_not_cover():
    shadow = raster(np.zeros((2, 2, 3), np.uint16), ONE // 2, left_px=3, top_px=3)

    canvas = drawn([(Blend.OVER, flat((8000, 8000, 8000))), (Blend.MULTIPLY, shadow)])

    assert canvas[3, 3].tolist() == shown(4000, 4000, 4000)
    assert canvas[2, 3].tolist() == shown(8000, 8000, 8000)


def test_a_shadow_over_nothing_is_itself():
    shadow = flat((0, 0, 0), ONE // 2)

    canvas = drawn([(Blend.MULTIPLY, shadow)], alpha=True)

    assert canvas[4, 4].tolist() == [0, 0, 0, 128]


@pytest.mark.parametrize("blend", Blend)
def test_light_saturates_and_never_wraps(blend):
    bright = flat((65535, 60000, 65535))

    canvas = drawn([(Blend.ADD, bright), (blend, bright), (Blend.ADD, bright)])

    assert (canvas == 255).all()


@given(seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_parts_cut_by_hold_outs_add_up_to_the_undivided_picture(seed):
    picture = noise(seed, 16, 16, 3)
    owner = np.random.default_rng(seed).integers(0, 4, (16, 16))
    parts = [
        (Blend.ADD, raster(picture * (owner == n)[..., None], (owner == n) * ONE)) for n in range(4)
    ]

    divided = drawn(parts, alpha=True)

    assert np.array_equal(divided, drawn([(Blend.OVER, raster(picture))], alpha=True))


@given(seed=st.integers(0, 99), alpha=st.booleans())
@settings(max_examples=25, deadline=None)
def test_trimmed_layers_draw_what_untrimmed_ones_do(seed, alpha):
    tile = raster(noise(seed, 5, 6, 3), noise(seed, 5, 6, 1, most=ONE)[..., 0], 4, 7)
    light, cover = np.zeros((16, 16, 3), np.uint16), np.zeros((16, 16), np.uint16)
    light[7:12, 4:10], cover[7:12, 4:10] = tile.light, tile.alpha
    untrimmed = Raster(light=light, alpha=cover, left_px=0, top_px=0)
    ground = raster(noise(seed + 1, 16, 16, 3))

    for blend in Blend:
        trimmed = drawn([(Blend.OVER, ground), (blend, tile)], alpha=alpha)
        full = drawn([(Blend.OVER, ground), (blend, untrimmed)], alpha=alpha)
        assert np.array_equal(trimmed, full)


def test_colour_under_partial_coverage_is_that_of_the_surface():
    canvas = drawn([(Blend.OVER, flat((4000, 2000, 0), ONE // 4))], alpha=True)

    assert canvas[4, 4].tolist() == [*shown(16000, 8000, 0), 64]


def test_a_canvas_taller_than_a_strip_is_drawn_to_its_last_row():
    tall = raster(noise(5, 70, 3, 3))
    where = placement()

    canvas = draw(plan(where, canvas=(3, 70)), lambda _: tall)

    assert np.array_equal(canvas, tone_table(PLAIN)[tall.light])


def test_every_blend_has_its_arithmetic():
    assert set(blends.BLENDS) == set(Blend)

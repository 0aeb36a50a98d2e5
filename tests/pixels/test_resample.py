import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_service.pixels.raster import Raster, trim
from render_service.pixels.resample import resample
from render_service.planning.plan import ONE
from tests.pixels.builders import frame, noise, placement, raster


def on_canvas(tile: Raster, width: int, height: int) -> np.ndarray:
    """Light and alpha of a raster on a full canvas, [height, width, bands + 1]."""
    out = np.zeros((height, width, tile.bands + 1), np.uint16)
    rows = slice(tile.top_px, tile.top_px + tile.height_px)
    columns = slice(tile.left_px, tile.left_px + tile.width_px)
    out[rows, columns, :-1] = tile.light
    out[rows, columns, -1] = tile.alpha
    return out


def whole(width: int, height: int, tile: Raster) -> Raster:
    """The same pixels as an untrimmed raster of the whole canvas."""
    full = on_canvas(tile, width, height)
    return Raster(
        light=np.ascontiguousarray(full[..., :-1]),
        alpha=np.ascontiguousarray(full[..., -1]),
        left_px=0,
        top_px=0,
    )


def test_the_canvas_s_own_size_changes_nothing():
    tile = raster(noise(1, 5, 7, 3), left_px=2, top_px=3)

    same = resample(tile, placement(), frame((16, 16), (16, 16)))

    assert same.light is tile.light
    assert (same.left_px, same.top_px) == (2, 3)


@given(
    box=st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 33), st.integers(1, 33)),
    canvas=st.tuples(st.integers(20, 64), st.integers(20, 64)),
    size=st.tuples(st.integers(1, 64), st.integers(1, 64)),
    seed=st.integers(0, 9),
)
@settings(max_examples=150, deadline=None)
def test_a_trimmed_tile_gives_exactly_the_pixels_of_its_full_canvas(box, canvas, size, seed):
    left, top, width, height = box
    width, height = min(width, canvas[0] - left), min(height, canvas[1] - top)
    if width < 1 or height < 1:
        return
    tile = raster(noise(seed, height, width, 3), noise(seed, height, width, 1)[..., 0] // 4)
    tile = Raster(light=tile.light, alpha=tile.alpha, left_px=left, top_px=top)

    trimmed = resample(tile, placement(), frame(canvas, size))
    full = resample(whole(*canvas, tile), placement(), frame(canvas, size))

    assert np.array_equal(on_canvas(trimmed, *size), on_canvas(full, *size))


@pytest.mark.parametrize("size", [160, 240, 320, 480, 640, 800, 1080, 1280])
def test_every_rung_of_the_ladder_agrees_for_trimmed_and_full(size):
    tile = raster(noise(size, 40, 90, 3), left_px=733, top_px=3)

    trimmed = resample(tile, placement(), frame((1600, 48), (size, 24)))
    full = resample(whole(1600, 48, tile), placement(), frame((1600, 48), (size, 24)))

    assert np.array_equal(on_canvas(trimmed, size, 24), on_canvas(full, size, 24))


@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)), light=st.integers(0, 65535))
@settings(max_examples=60, deadline=None)
def test_an_even_canvas_stays_exactly_even(size, light):
    tile = raster(np.full((31, 23, 3), light, np.uint16))

    scaled = resample(tile, placement(), frame((23, 31), size))

    assert (scaled.width_px, scaled.height_px) == size
    assert (scaled.light == light).all()
    assert (scaled.alpha == ONE).all()


@given(seed=st.integers(0, 99), size=st.integers(3, 31))
@settings(max_examples=60, deadline=None)
def test_parts_of_a_picture_add_up_to_it_at_any_size(seed, size):
    picture = noise(seed, 32, 32, 3)
    owner = np.random.default_rng(seed).integers(0, 3, (32, 32, 1))
    target = frame((32, 32), (size, size))

    parts = [
        on_canvas(resample(raster(picture * (owner == part)), placement(), target), size, size)
        for part in range(3)
    ]
    undivided = on_canvas(resample(raster(picture), placement(), target), size, size)

    apart = sum(part[..., :3].astype(int) for part in parts) - undivided[..., :3]
    # Three parts, each rounded by at most one half, and the whole by another.
    assert abs(apart).max() <= 2


def test_a_highlight_darkens_nothing_around_it():
    sky = np.full((64, 64, 3), 3000, np.uint16)
    sky[30:33, 30:33] = 65535

    scaled = resample(raster(sky), placement(), frame((64, 64), (40, 40)))

    assert scaled.light.min() == 3000


def test_what_hangs_over_the_canvas_is_cut_before_scaling():
    tile = raster(np.full((40, 40, 3), 1000, np.uint16))

    scaled = resample(
        tile,
        placement(left_px=-20, top_px=-4, width_px=40, height_px=40),
        frame((30, 30), (15, 15)),
    )

    assert (scaled.left_px, scaled.top_px) == (0, 0)
    assert (scaled.width_px, scaled.height_px) == (11, 15)
    # Inside, neither the canvas's edge nor what lay beyond it shows.
    assert (scaled.light[:, :9] == 1000).all()


@pytest.mark.parametrize("left", [-40, 30, 400])
def test_a_layer_off_the_canvas_is_nothing(left):
    tile = raster(noise(1, 40, 40, 3))

    scaled = resample(tile, placement(left_px=left), frame((30, 30), (15, 15)))

    assert scaled.size_bytes == 0


def test_nothing_stays_nothing():
    scaled = resample(Raster.empty(12), placement(), frame((30, 30), (15, 15)))

    assert (scaled.size_bytes, scaled.bands) == (0, 12)


def test_a_trimmed_raster_keeps_no_memory_but_its_own():
    big = np.zeros((512, 512, 3), np.uint16)
    big[100, :] = 5

    tile = trim(big, np.zeros((512, 512), np.uint16), 0, 0)

    assert tile.light.base is None
    assert tile.size_bytes == 512 * 4 * 2

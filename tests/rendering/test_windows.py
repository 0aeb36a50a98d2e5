"""Layers of a window: what is kept of them is what other windows can use, and it is exact."""

import numpy as np
import pytest
from msgspec.structs import replace

from render_service.pixels.compose import draw
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.planning.plan import Window
from render_service.rendering.layers import Layers, level_of
from render_service.rendering.rasters import Rasters
from tests.pixels.builders import frame, noise, placement, plan, png
from tests.rendering.builders import MIB


def tile_of(a_plan, rasters, files, at):
    """Draw a window of a plan, and say what had to be read for it."""
    left, top, width, height, scale = at
    part = replace(
        a_plan,
        window=Window(
            left_px=left * scale,
            top_px=top * scale,
            width_px=width * scale,
            height_px=height * scale,
        ),
        output=replace(a_plan.output, width_px=width, height_px=height),
    )
    layers = Layers(rasters, part.placements, frame_of(part), DecodeLimits())
    return draw(part, lambda p: layers.tile(p, files)), layers.assets


@pytest.fixture
def squares():
    """A plan of two layers on 64 × 64, and their files."""
    pixels = {"a" * 64: noise(1, 64, 64, 3), "b" * 64: noise(2, 64, 64, 3)}
    files = {name: png(light) for name, light in pixels.items()}
    placements = [placement(name, width_px=64, height_px=64) for name in files]
    return plan(*placements, canvas=(64, 64)), files


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_tiles_cut_from_a_kept_level_are_what_they_are_without(squares, scale):
    a_plan, files = squares
    side = 32 // scale
    for at in [(0, 0, side, side, scale), (side, side, side, side, scale)]:
        kept, _ = tile_of(a_plan, Rasters(budget_bytes=MIB), files, at)
        made, _ = tile_of(a_plan, Rasters(budget_bytes=0), files, at)
        assert np.array_equal(kept, made)


@pytest.mark.parametrize("scale", [1, 2])
def test_the_tiles_of_a_scale_read_each_layer_once(squares, scale):
    a_plan, files = squares
    rasters = Rasters(budget_bytes=MIB)
    read = [
        tile_of(a_plan, rasters, files, (x, y, 8, 8, scale))[1] for x in (0, 8) for y in (0, 8, 16)
    ]
    assert read == [tuple(files), *[()] * 5]


def test_nothing_is_kept_of_a_tile_itself(squares):
    a_plan, files = squares
    rasters = Rasters(budget_bytes=MIB)
    tile_of(a_plan, rasters, files, (0, 0, 8, 8, 2))
    before = rasters.used_bytes
    for x in range(8, 32, 8):
        tile_of(a_plan, rasters, files, (x, 0, 8, 8, 2))
    assert rasters.used_bytes == before


def test_the_level_of_a_tile_is_the_layer_that_the_whole_picture_keeps(squares):
    a_plan, files = squares
    rasters = Rasters(budget_bytes=MIB)
    half = replace(a_plan, output=replace(a_plan.output, width_px=32, height_px=32))
    layers = Layers(rasters, half.placements, frame_of(half), DecodeLimits())
    draw(half, lambda p: layers.tile(p, files))
    before = rasters.used_bytes
    tile_of(a_plan, rasters, files, (0, 0, 8, 8, 2))
    assert rasters.used_bytes == before


@pytest.mark.parametrize(
    ("window", "size"),
    [
        ((0, 0, 64, 64), (64, 64)),
        ((0, 0, 30, 32), (16, 16)),
        ((1, 0, 32, 32), (16, 16)),
        ((0, 0, 32, 16), (16, 16)),
        ((0, 0, 8, 8), (16, 16)),
    ],
)
def test_a_window_that_is_no_tile_has_no_level(window, size):
    left, top, width, height = window
    shown = Window(left_px=left, top_px=top, width_px=width, height_px=height)
    given = replace(frame((64, 64), size), window=shown)
    assert level_of(given) is None

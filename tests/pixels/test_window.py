"""A window of the canvas: exactly what the whole shows there, at any scale, wherever it lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from render_service.errors import InvalidPlan
from render_service.formats import Format
from render_service.pixels.compose import draw
from render_service.pixels.encode import encode
from render_service.pixels.finish import finish
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.paint import paint
from render_service.pixels.resample import crop, frame_of, resample
from render_service.planning.plan import ONE, Tint, Window
from tests.pixels.builders import image, noise, placement, plan, raster

PAINT = ((ONE, 0, 0), (0, ONE // 2, ONE // 2), (ONE, -ONE, ONE))


def window(left, top, width, height):
    return Window(left_px=left, top_px=top, width_px=width, height_px=height)


def layers(side=96):
    """A layer that hangs over the canvas's edge, and one that lies inside it."""
    return {
        placement(width_px=side, height_px=side, left_px=-8, top_px=-5): raster(
            noise(1, side, side, 3), noise(3, side, side, 1)[..., 0] % (ONE + 1)
        ),
        placement("1" * 64, width_px=20, height_px=30, left_px=31, top_px=17, paint=PAINT): raster(
            noise(2, 30, 20, 3), ONE // 3
        ),
    }


def drawn(a_plan, given_):
    frame = frame_of(a_plan)
    return draw(a_plan, lambda p: paint(resample(given_[p], p, frame), p))


def whole_and_window(canvas, scale, at, alpha=False):
    given_ = layers()
    wide, high = canvas[0] // scale, canvas[1] // scale
    whole = plan(*given_, canvas=canvas, size=(wide, high), alpha=alpha)
    left, top, width, height = at
    part = replace(
        plan(*given_, canvas=canvas, size=(width, height), alpha=alpha),
        window=window(left * scale, top * scale, width * scale, height * scale),
    )
    return drawn(whole, given_)[top : top + height, left : left + width], drawn(part, given_)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_a_window_is_what_the_whole_shows_there(scale, alpha):
    wide, high = 96 // scale, 72 // scale
    at = (wide // 4, high // 3, wide // 2, high // 2)
    expected, found = whole_and_window((96, 72), scale, at, alpha)
    assert np.array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_windows_side_by_side_join_without_a_seam(data):
    scale = data.draw(st.sampled_from([1, 2, 4]))
    wide, high = 96 // scale, 96 // scale
    left, top = data.draw(st.integers(0, wide - 1)), data.draw(st.integers(0, high - 1))
    width = data.draw(st.integers(1, wide - left))
    height = data.draw(st.integers(1, high - top))
    expected, found = whole_and_window((96, 96), scale, (left, top, width, height))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("size", [(7, 11), (40, 30), (200, 50), (1, 1)])
def test_a_window_can_be_drawn_at_any_size(size):
    given_ = layers()
    part = replace(plan(*given_, canvas=(96, 72), size=size), window=window(13, 7, 33, 41))
    assert drawn(part, given_).shape[1::-1] == size


def test_a_window_beside_every_layer_is_dark():
    inside = {k: v for k, v in layers().items() if k.left_px > 0}
    part = replace(plan(*inside, canvas=(96, 72), size=(10, 10)), window=window(70, 50, 20, 20))
    assert not drawn(part, inside).any()


def test_a_crop_holds_no_more_memory_than_it_shows():
    cut = crop(raster(noise(1, 64, 64, 3)), window(10, 10, 4, 4))
    held = cut.light if cut.light.base is None else cut.light.base
    assert cut.size_bytes == 4 * 4 * (3 + 1) * 2
    assert held.nbytes == cut.light.nbytes


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (window(-1, 0, 8, 8), "window.left_px is -1"),
        (window(0, 0, 0, 8), "window.width_px is 0"),
        (window(10, 0, 8, 8), "window's right edge is 18; the most is 16"),
        (window(0, 10, 8, 8), "window's lower edge is 18; the most is 16"),
    ],
)
def test_a_window_that_leaves_the_canvas_is_refused(bad, said):
    with pytest.raises(InvalidPlan, match=said):
        check_plan(replace(plan(), window=bad), Limits())


@pytest.mark.parametrize("turns", [-1, 4])
def test_a_turn_that_is_none_is_refused(turns):
    given_ = plan()
    bad = replace(given_, output=replace(given_.output, quarter_turns=turns))
    with pytest.raises(InvalidPlan, match="quarter_turns"):
        check_plan(bad, Limits())


def finished(alpha=False, **facts):
    given_ = layers()
    a_plan = plan(*given_, canvas=(48, 32), alpha=alpha)
    plain = drawn(a_plan, given_)
    a_plan = replace(a_plan, output=replace(a_plan.output, **facts))
    return plain, drawn(a_plan, given_), a_plan.output


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_picture_is_mirrored_and_then_turned_clockwise(turns, mirrored):
    plain, found, output = finished(quarter_turns=turns, mirrored=mirrored)
    turned = image(plain)
    turned = turned.fliphor() if mirrored else turned
    turned = [turned, turned.rot90(), turned.rot180(), turned.rot270()][turns]
    assert np.array_equal(found, turned.numpy())
    assert found.shape[1::-1] == output.file_size_px


def test_a_turned_picture_is_encoded_in_the_size_it_has():
    _, found, output = finished(quarter_turns=1)
    assert encode(found, replace(output, format=Format.PNG))


@pytest.mark.parametrize("alpha", [False, True])
def test_gray_is_the_luminance_of_the_light(alpha):
    plain, found, _ = finished(alpha, tint=Tint.GRAY)
    expected = image(plain[..., :3]).colourspace("scrgb").colourspace("b-w")
    assert np.array_equal(found[..., 0], found[..., 1])
    assert np.array_equal(found[..., 0], found[..., 2])
    assert np.abs(found[..., 0].astype(int) - expected.numpy().squeeze()).max() <= 1
    assert np.array_equal(found[..., 3:], plain[..., 3:])


def test_gray_leaves_grays_as_they_are():
    canvas = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    output = replace(plan().output, tint=Tint.GRAY)
    assert np.array_equal(finish(canvas, output), canvas)


def test_bitonal_is_black_and_white():
    _, found, _ = finished(tint=Tint.BITONAL)
    assert set(np.unique(found)) == {0, 255}

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from render_service.errors import AssetMissing, AssetTooLarge, AssetUndecodable, InvalidPlan
from render_service.formats import Format
from render_service.pixels.limits import DecodeLimits, Limits
from render_service.pixels.offline import render, render_canvas
from render_service.pixels.vips import pyvips
from render_service.planning.plan import Blend
from tests.pixels.builders import noise, placement, plan, png


def read_nothing(asset: str) -> bytes:
    raise AssertionError(f"{asset} was read")


def test_a_plan_and_its_files_give_the_finished_picture():
    picture = plan(placement(), size=(8, 8), file_format=Format.WEBP)

    data = render(picture, lambda _: png(noise(1, 16, 16, 3)), Limits())

    back = pyvips.Image.webpload_buffer(data)
    assert (back.width, back.height, back.bands) == (8, 8, 3)


def test_the_same_plan_gives_the_same_bytes():
    picture = plan(placement(), placement(blend=Blend.ADD), size=(11, 11), alpha=True)

    first, second = (render(picture, lambda _: png(noise(1, 16, 16, 4)), Limits()) for _ in "ab")

    assert first == second


def test_the_size_asked_for_is_the_size_drawn_whatever_the_layers_cover():
    canvas = render_canvas(plan(size=(5, 7)), read_nothing, Limits())

    assert canvas.shape == (7, 5, 3)


def test_a_plan_over_a_limit_is_refused_before_a_file_is_read():
    with pytest.raises(InvalidPlan, match="number of layers is 1; the most is 0"):
        render(plan(placement()), read_nothing, Limits(max_layers=0))


def test_a_damaged_layer_is_named():
    with pytest.raises(AssetUndecodable, match=r"f{64} begins with b'no picture'"):
        render(plan(placement("f" * 64)), lambda _: b"no picture", Limits())


def test_limits_of_a_file_are_held_against_every_layer():
    small = replace(Limits(), decode=DecodeLimits(max_bytes=10))

    with pytest.raises(AssetTooLarge, match="the most is 10"):
        render(plan(placement()), lambda _: b"more than ten bytes", small)


def test_a_missing_layer_is_what_its_reader_says():
    def read(asset: str) -> bytes:
        raise AssetMissing(asset, "is not there")

    with pytest.raises(AssetMissing):
        render(plan(placement()), read, Limits())


def test_plans_drawn_at_the_same_time_do_not_disturb_each_other():
    picture = plan(placement(), placement(blend=Blend.ADD), size=(13, 9), alpha=True)
    files = [png(noise(seed, 16, 16, 4)) for seed in range(8)]
    alone = [render(picture, lambda _, data=data: data, Limits()) for data in files]

    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda data: render(picture, lambda _: data, Limits()), files, timeout=60)
        )

    assert together == alone

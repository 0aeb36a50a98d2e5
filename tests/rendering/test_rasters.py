import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from render_service.formats import Format
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.raster import Raster
from render_service.pixels.resample import frame_of
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import Rasters
from tests.rendering.builders import MIB, Workshop


def raster(size_bytes=1000):
    light = np.zeros((1, (size_bytes - 2) // 2, 1), np.uint16)
    return Raster(light=light, alpha=np.zeros((1, 1), np.uint16), left_px=0, top_px=0)


def name(number):
    return ("painted", number, None)


def test_what_was_made_is_not_made_again():
    rasters = Rasters(budget_bytes=MIB)
    first = rasters.get_or_make(name(1), raster)
    again = rasters.get_or_make(name(1), lambda: pytest.fail("made again"))
    assert again is first


def test_rasters_stay_within_the_budget():
    rasters = Rasters(budget_bytes=10_000)
    for number in range(50):
        rasters.get_or_make(name(number), raster)
        assert rasters.used_bytes <= 10_000


def test_the_least_recently_used_goes_first():
    rasters = Rasters(budget_bytes=5_000)
    for number in range(5):
        rasters.get_or_make(name(number), raster)
    rasters.get(name(0))
    rasters.get_or_make(name(5), raster)
    assert rasters.get(name(0)) is not None
    assert rasters.get(name(1)) is None


def test_a_raster_over_its_share_is_given_but_not_kept():
    rasters = Rasters(budget_bytes=10_000)
    assert rasters.get_or_make(name(1), lambda: raster(4_000)) is not None
    assert rasters.used_bytes == 0


def test_several_threads_wanting_one_raster_make_it_once():
    rasters, made, gate = Rasters(budget_bytes=MIB), [], threading.Event()

    def make():
        made.append(1)
        gate.wait()
        return raster()

    with ThreadPoolExecutor(8) as pool:
        wanted = [pool.submit(rasters.get_or_make, name(1), make) for _ in range(8)]
        gate.set()
        found = {id(future.result()) for future in wanted}
    assert (len(made), len(found)) == (1, 1)


def test_a_failure_reaches_the_caller_and_is_not_kept():
    rasters = Rasters(budget_bytes=MIB)

    def fail():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        rasters.get_or_make(name(1), fail)
    assert rasters.get_or_make(name(1), raster) is not None


def layers_of(rasters, plan):
    return Layers(rasters, plan.placements, frame_of(plan), DecodeLimits())


async def draw(workshop, **selection):
    await workshop.service.render(workshop.plan(**selection).plan)


async def test_a_layer_drawn_before_needs_no_file(catalogue):
    workshop = Workshop(catalogue)
    await draw(workshop)
    assert layers_of(workshop.rasters, workshop.plan().plan).assets == ()
    await workshop.service.close()


async def test_another_metal_needs_no_file_and_no_decoding(catalogue):
    workshop = Workshop(catalogue)
    await draw(workshop, metal="gold")
    assert layers_of(workshop.rasters, workshop.plan(metal="silver").plan).assets == ()
    await workshop.service.close()


async def test_another_size_needs_no_file(catalogue):
    workshop = Workshop(catalogue)
    await draw(workshop)
    assert layers_of(workshop.rasters, workshop.plan(width_px=320).plan).assets == ()
    await workshop.service.close()


async def test_another_stone_needs_only_its_own_file(catalogue):
    workshop = Workshop(catalogue)
    await draw(workshop, gem="ruby")
    plan = workshop.plan(gem="sapphire").plan
    stone = plan.placements[-1].asset
    assert layers_of(workshop.rasters, plan).assets == (stone,)
    await workshop.service.close()


async def test_what_is_kept_draws_the_same_picture_as_what_is_not(catalogue):
    workshop, fresh = Workshop(catalogue), Workshop(catalogue)
    wanted = workshop.plan(width_px=240, file_format=Format.PNG, metal="silver").plan
    for metal in ("gold", "silver"):
        await draw(workshop, width_px=320, metal=metal)
    kept = await workshop.service.render(wanted)
    alone = await fresh.service.render(wanted)
    assert kept.rendition == alone.rendition
    await workshop.service.close()
    await fresh.service.close()

"""Layers in a store: one process decodes and scales, another maps, and nothing depends on it."""

import pytest

from render_service.adapters.raster_files import RasterFiles
from render_service.formats import Format
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.resample import frame_of
from render_service.rendering.cost import work_of
from render_service.rendering.layers import Layers
from render_service.rendering.rasters import MAPPED_BYTES, Rasters, name_of
from tests.rendering.builders import MIB, Workshop


def open_store(folder, budget_bytes=64 * MIB):
    return RasterFiles(folder / "rasters", budget_bytes=budget_bytes)


@pytest.fixture
async def stored(catalogue, tmp_path):
    """A store with the layers of one picture, as a process that is gone left it."""
    workshop = Workshop(catalogue, raster_store=open_store(tmp_path))
    await workshop.service.render(workshop.plan(file_format=Format.PNG).plan)
    await workshop.service.close()
    return open_store(tmp_path)


@pytest.fixture
async def drawn(catalogue):
    """Return what a workshop without a store draws."""
    workshop = Workshop(catalogue)

    async def draw(**asked):
        return (await workshop.service.render(workshop.plan(**asked).plan)).rendition

    yield draw
    await workshop.service.close()


async def test_another_process_reads_no_layer_file(catalogue, stored, drawn):
    workshop = Workshop(catalogue, raster_store=stored)
    served = await workshop.service.render(workshop.plan(file_format=Format.PNG).plan)
    assert workshop.assets.reads == 0
    assert served.rendition == await drawn(file_format=Format.PNG)
    await workshop.service.close()


async def test_another_size_is_scaled_from_what_was_decoded(catalogue, stored, drawn):
    workshop = Workshop(catalogue, raster_store=stored)
    asked = {"width_px": 320, "file_format": Format.PNG}
    served = await workshop.service.render(workshop.plan(**asked).plan)
    assert workshop.assets.reads == 0
    assert served.rendition == await drawn(**asked)
    await workshop.service.close()


async def test_what_is_mapped_hardly_counts_as_held(catalogue, stored):
    workshop = Workshop(catalogue, raster_store=stored)
    plan = workshop.plan().plan
    layers = Layers(workshop.rasters, plan.placements, frame_of(plan), DecodeLimits())
    layers.load()
    assert workshop.rasters.used_bytes <= MAPPED_BYTES * len(plan.placements)
    await workshop.service.close()


async def test_what_this_process_made_is_mapped_once_it_is_stored(catalogue, tmp_path):
    workshop = Workshop(catalogue, raster_store=open_store(tmp_path))
    plan = workshop.plan().plan
    await workshop.service.render(plan)
    workshop.rasters.close()
    layers = Layers(workshop.rasters, plan.placements, frame_of(plan), DecodeLimits())
    tiles = [layers.tile(placement, {}) for placement in plan.placements if not placement.paint]
    assert tiles
    assert all(not tile.light.flags.owndata for tile in tiles)
    await workshop.service.close()


@pytest.mark.parametrize("damage", ["removed", "damaged", "all damaged"])
async def test_what_the_store_lost_is_made_again(catalogue, stored, tmp_path, drawn, damage):
    paths = list((tmp_path / "rasters" / "files").glob("??/*"))
    workshop = Workshop(catalogue, raster_store=stored)
    plan = workshop.plan(file_format=Format.PNG).plan
    layers = Layers(workshop.rasters, plan.placements, frame_of(plan), DecodeLimits())
    assert layers.assets == ()
    scaled = {key for how, key, _ in layers.missing if how == "mapped"}
    names = {name_of(key)[2:] for key in scaled}
    for path in paths:
        if damage == "removed" and path.name in names:
            path.unlink()
        elif damage == "all damaged" or path.name in names:
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    served = await workshop.service.render(plan)
    # What was decoded is still there, unless all is damaged.
    assert (workshop.assets.reads > 0) == (damage == "all damaged")
    assert served.rendition == await drawn(file_format=Format.PNG)
    await workshop.service.close()


async def test_a_layer_to_be_mapped_is_expected_to_take_less_than_one_to_be_made(catalogue, stored):
    workshop = Workshop(catalogue)
    plan = workshop.plan().plan

    def expected(rasters):
        return work_of(plan, Layers(rasters, plan.placements, frame_of(plan), DecodeLimits()))

    mapped = expected(Rasters(budget_bytes=MIB, store=stored))
    made = expected(Rasters(budget_bytes=MIB))
    assert mapped.total_ms < made.total_ms
    await workshop.service.close()


async def test_a_store_that_takes_nothing_costs_nothing_but_itself(catalogue, tmp_path, drawn):
    workshop = Workshop(catalogue, raster_store=open_store(tmp_path, budget_bytes=1))
    served = await workshop.service.render(workshop.plan().plan)
    assert served.rendition == await drawn()
    await workshop.service.close()
    assert list((tmp_path / "rasters" / "files").iterdir()) == []

import asyncio

import pytest
from msgspec.structs import replace

from render_service.errors import AssetMissing, AssetUndecodable, InvalidPlan, Overloaded
from render_service.formats import Format
from render_service.rendering.placeholders import Placeholders
from tests.http.catalogue import write_catalogue
from tests.rendering.builders import FakeTier, Workshop


@pytest.fixture
async def workshop(catalogue):
    tier = FakeTier()
    workshop = Workshop(catalogue, tiers=[tier])
    workshop.tier = tier
    yield workshop
    workshop.assets.gate.set()
    await workshop.service.close()


async def test_what_is_not_kept_anywhere_is_rendered_now(workshop):
    served = await workshop.service.render(workshop.plan().plan)
    assert (served.source, served.stored, served.collapsed) == ("render", True, False)


async def test_a_render_tells_where_its_time_went(workshop):
    served = await workshop.service.render(workshop.plan().plan)
    names = [part.split(";")[0] for part in served.timings.server_timing.split(", ")]
    assert names == ["queue", "fetch", "compose", "encode", "store"]


async def test_the_second_time_it_comes_from_memory(workshop):
    first = await workshop.service.render(workshop.plan().plan)
    again = await workshop.service.render(workshop.plan().plan)
    assert (again.source, again.timings) == ("memory", None)
    assert again.rendition is first.rendition


async def test_a_render_is_stored_in_the_tiers(workshop):
    planned = workshop.plan()
    served = await workshop.service.render(planned.plan)
    await workshop.tiers.settle()
    assert workshop.tier.held[planned.key] == served.rendition


async def test_what_a_tier_holds_is_not_rendered_and_comes_to_memory(workshop, catalogue):
    planned = workshop.plan()
    other = Workshop(catalogue)
    workshop.tier.held[planned.key] = (await other.service.render(planned.plan)).rendition
    await other.service.close()
    served = await workshop.service.render(planned.plan)
    assert (served.source, workshop.assets.reads) == ("fake", 0)
    assert planned.key in workshop.memory


async def test_a_tier_that_is_away_costs_nobody_a_picture(workshop):
    workshop.tier.failing = True
    served = await workshop.service.render(workshop.plan().plan)
    assert served.source == "render"


async def test_a_thousand_requests_for_one_cold_key_are_one_render(workshop):
    plan = workshop.plan().plan
    served = await asyncio.gather(*(workshop.service.render(plan) for _ in range(1000)))
    assert len({id(one.rendition) for one in served}) == 1
    assert workshop.assets.reads == len(plan.placements)
    assert [one.collapsed for one in served] == [False] + [True] * 999


async def test_equal_plans_of_different_selections_are_one_render(workshop):
    plans = [workshop.plan(view="top", gem=gem).plan for gem in ("ruby", "sapphire")]
    served = await asyncio.gather(*(workshop.service.render(plan) for plan in plans))
    assert served[0].rendition is served[1].rendition


async def test_more_than_the_queue_holds_is_refused_and_the_accepted_are_answered(catalogue):
    workshop = Workshop(catalogue, threads=1, queue_s=0)
    workshop.assets.gate.clear()
    plans = [workshop.plan(width_px=width).plan for width in (160, 240, 320)]
    tasks = [asyncio.create_task(workshop.service.render(plan)) for plan in plans]
    for refused in tasks[1:]:
        with pytest.raises(Overloaded):
            await refused
    workshop.assets.gate.set()
    assert (await tasks[0]).source == "render"
    await workshop.service.close()


async def test_hits_are_served_while_the_queue_is_full(catalogue):
    workshop = Workshop(catalogue, threads=1, queue_s=0)
    await workshop.service.render(workshop.plan(width_px=160).plan)
    workshop.assets.gate.clear()
    blocked = workshop.plan(width_px=240, gem="sapphire").plan
    waiting = asyncio.create_task(workshop.service.render(blocked))
    await asyncio.sleep(0.01)
    served = await workshop.service.render(workshop.plan(width_px=160).plan)
    assert served.source == "memory"
    workshop.assets.gate.set()
    await waiting
    await workshop.service.close()


async def test_work_still_queued_is_dropped_when_its_client_leaves(catalogue):
    workshop = Workshop(catalogue, threads=1)
    workshop.assets.gate.clear()
    running = asyncio.create_task(workshop.service.render(workshop.plan(width_px=160).plan))
    queued_plan = workshop.plan(width_px=240).plan
    queued = asyncio.create_task(workshop.service.render(queued_plan))
    await asyncio.sleep(0.01)
    queued.cancel()
    await asyncio.gather(queued, return_exceptions=True)
    await asyncio.sleep(0)
    assert workshop.executor.taken == 1
    workshop.assets.gate.set()
    await running
    assert len(workshop.memory) == 1
    await workshop.service.close()


async def test_a_render_that_has_begun_is_kept_though_its_client_left(workshop):
    workshop.assets.gate.clear()
    planned = workshop.plan()
    task = asyncio.create_task(workshop.service.render(planned.plan))
    await workshop.assets.reading.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    workshop.assets.gate.set()
    assert (await workshop.service.render(planned.plan)).collapsed
    assert planned.key in workshop.memory


async def test_a_missing_layer_file_is_named_and_not_remembered(tmp_path):
    folder = write_catalogue(tmp_path / "catalogue")
    workshop = Workshop(folder)
    band = folder / "ring" / "band.png"
    data = band.read_bytes()
    band.unlink()
    with pytest.raises(AssetMissing, match=r"band\.png"):
        await workshop.service.render(workshop.plan().plan)
    band.write_bytes(data)
    assert (await workshop.service.render(workshop.plan().plan)).source == "render"
    await workshop.service.close()


async def test_a_layer_file_that_is_no_picture_is_refused(tmp_path):
    folder = write_catalogue(tmp_path / "catalogue")
    (folder / "ring" / "band.png").write_bytes(b"no picture at all")
    workshop = Workshop(folder)
    with pytest.raises(AssetUndecodable):
        await workshop.service.render(workshop.plan().plan)
    await workshop.service.close()


async def test_a_plan_over_a_limit_takes_no_place(workshop):
    huge = replace(workshop.plan().plan, canvas_width_px=10**6, canvas_height_px=10**6)
    with pytest.raises(InvalidPlan):
        await workshop.service.render(huge)
    assert workshop.executor.taken == 0


@pytest.mark.parametrize("file_format", list(Format))
async def test_the_same_plan_is_the_same_bytes_in_another_process(catalogue, file_format):
    bodies = []
    for _ in range(2):
        workshop = Workshop(catalogue)
        served = await workshop.service.render(workshop.plan(file_format=file_format).plan)
        bodies.append(served.rendition.body)
        await workshop.service.close()
    assert bodies[0] == bodies[1]


async def test_the_timings_of_the_last_render_are_remembered(workshop):
    planned = workshop.plan()
    served = await workshop.service.render(planned.plan)
    assert workshop.service.last_timings(planned.key) == served.timings


async def test_placeholders_are_made_of_opaque_views_and_left_out_of_clear_ones(workshop):
    opaque, clear = workshop.plan(), workshop.plan(background="transparent")
    placeholders = Placeholders()
    plans = {planned.key: planned.plan for planned in (opaque, clear)}
    await placeholders.fill(workshop.service, plans)
    assert len(placeholders.get(opaque.key)) in range(20, 41)
    assert placeholders.get(clear.key) is None


async def test_a_placeholder_is_drawn_when_no_request_is(workshop):
    workshop.assets.gate.clear()
    planned, placeholders = workshop.plan(), Placeholders()
    asked = asyncio.create_task(workshop.service.render(planned.plan))
    await workshop.assets.reading.wait()
    filling = asyncio.create_task(placeholders.fill(workshop.service, {planned.key: planned.plan}))
    await asyncio.sleep(0.01)
    assert workshop.assets.reads == len(planned.plan.placements)
    workshop.assets.gate.set()
    await asyncio.gather(asked, filling)
    assert placeholders.get(planned.key)

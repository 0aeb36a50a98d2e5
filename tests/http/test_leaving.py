"""Clients that leave while their picture waits, at the route itself."""

import asyncio

import pytest

from render_service.http.images import ImageRoute
from render_service.planning.url import build_image_path
from render_service.releases.live import LivePlanner
from tests.rendering.builders import Workshop, key, rendition


class Visit:
    """One request to the route, whose client can leave."""

    def __init__(self, route, path):
        self.sent = []
        self._left = asyncio.Event()
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
        }
        self._begun = False
        self.task = asyncio.create_task(route(scope, self._receive, self._send))

    def leave(self):
        self._left.set()

    async def _receive(self):
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message)


@pytest.fixture
async def workshop(catalogue):
    workshop = Workshop(catalogue, threads=1)
    workshop.assets.gate.clear()
    workshop.route = ImageRoute(planner=LivePlanner(workshop.planner), service=workshop.service)
    yield workshop
    workshop.assets.gate.set()
    await workshop.service.close()


def visit(workshop, **asked):
    return Visit(workshop.route, build_image_path(workshop.plan(**asked).image))


async def test_a_picture_still_queued_is_dropped_when_its_client_leaves(workshop):
    first = visit(workshop, width_px=160)
    await workshop.assets.reading.wait()
    queued = visit(workshop, width_px=240)
    await asyncio.sleep(0.01)
    assert workshop.executor.taken == 2
    queued.leave()
    await queued.task
    assert workshop.executor.taken == 1
    assert workshop.executor.admission.waiting_s == 0
    assert queued.sent == []
    workshop.assets.gate.set()
    await first.task
    assert first.sent[0]["status"] == 200


async def test_a_picture_already_begun_is_kept_for_the_next(workshop):
    first = visit(workshop)
    await workshop.assets.reading.wait()
    first.leave()
    await first.task
    assert first.sent == []
    workshop.assets.gate.set()
    again = visit(workshop)
    await again.task
    assert again.sent[0]["status"] == 200
    assert workshop.plan().key in workshop.memory


async def test_one_leaving_does_not_take_the_picture_from_the_others(workshop):
    visits = [visit(workshop) for _ in range(3)]
    await workshop.assets.reading.wait()
    visits[0].leave()
    await visits[0].task
    workshop.assets.gate.set()
    await asyncio.gather(*(one.task for one in visits[1:]))
    assert [one.sent[0]["status"] for one in visits[1:]] == [200, 200]


async def test_who_waited_for_anothers_render_is_told_so(workshop):
    visits = [visit(workshop) for _ in range(2)]
    workshop.assets.gate.set()
    await asyncio.gather(*(one.task for one in visits))
    told = [dict(one.sent[0]["headers"])[b"cache-status"] for one in visits]
    assert told == [
        b"render-service; fwd=miss; stored; detail=render",
        b"render-service; fwd=miss; stored; collapsed; detail=render",
    ]


async def test_a_picture_that_memory_let_go_is_made_again_with_the_same_tag(catalogue):
    workshop = Workshop(catalogue)
    route = ImageRoute(planner=LivePlanner(workshop.planner), service=workshop.service)
    workshop.route = route
    tags = []
    for _ in range(3):
        for width in (160, 240, 320):
            one = visit(workshop, width_px=width)
            await one.task
            tags.append(dict(one.sent[0]["headers"])[b"etag"])
        for number in range(8):
            workshop.memory.put(key(number), rendition(bytes(workshop.memory.budget_bytes // 8)))
    assert tags[:3] == tags[3:6] == tags[6:]
    await workshop.service.close()

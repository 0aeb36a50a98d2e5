"""What a path comes to is worked out once, for as long as the same state is live."""

import asyncio

import pytest

from render_service.http import images
from render_service.http.images import ImageRoute
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner
from render_service.planning.url import build_image_path
from render_service.releases.live import LivePlanner
from tests.rendering.builders import Workshop


class Watched(Planner):
    """A planner that remembers what it was asked to plan by a path."""

    asked = 0

    def plan_image(self, image):
        self.asked += 1
        return super().plan_image(image)


@pytest.fixture
async def workshop(catalogue):
    # Without memory every request goes the long way.
    workshop = Workshop(catalogue, memory_bytes=0)
    yield workshop
    await workshop.service.close()


@pytest.fixture
def planner(workshop):
    return Watched(workshop.planner.catalogue, PROFILES)


@pytest.fixture
def route(workshop, planner):
    return ImageRoute(planner=LivePlanner(planner), service=workshop.service)


async def get(route, path):
    """Ask for a path; return the status and the body."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return await waiting()

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await route._answer(scope, receive, send)
    return sent[0]["status"], sent[-1]["body"]


async def waiting():
    """A client that stays."""
    await asyncio.Event().wait()


def path_of(workshop, **asked):
    return build_image_path(workshop.plan(**asked).image)


async def test_a_path_that_is_asked_for_again_is_not_planned_again(workshop, planner, route):
    path = path_of(workshop)
    answers = [await get(route, path) for _ in range(3)]
    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    assert planner.asked == 1


async def test_when_another_state_is_live_every_path_is_planned_anew(workshop, planner, route):
    path = path_of(workshop)
    await get(route, path)
    another = Watched(workshop.planner.catalogue, PROFILES)
    route._planner.swap(another)
    assert (await get(route, path))[0] == 200
    assert (planner.asked, another.asked) == (1, 1)


async def test_no_more_paths_are_remembered_than_there_is_room_for(
    workshop, planner, route, monkeypatch
):
    monkeypatch.setattr(images, "PLANS_KEPT", 2)
    paths = [path_of(workshop, width_px=width) for width in (160, 240, 320)]
    for path in [*paths, paths[0], paths[2]]:
        await get(route, path)
    # The first of three had to go, and was planned again; the last was still there.
    assert planner.asked == 4

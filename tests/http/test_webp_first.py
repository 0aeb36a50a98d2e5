"""WebP first, AVIF when ready: what the alias answers with while pictures wait to be rendered."""

import asyncio

import httpx
import pytest

from render_service.formats import Format
from render_service.http.alias import CACHE_CONTROL, INSTEAD_CACHE_CONTROL, AliasRoute
from render_service.planning.url import build_image_path
from tests.http.server import COMPOSITIONS, run_server
from tests.rendering.builders import FakeTier, Workshop, until
from tests.servers import wait_until

CHROME = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
SOON_S = 0.0001


class Busy(Workshop):
    """One thread, and someone who renders on it until the gate opens."""

    async def begin(self):
        self.assets.gate.clear()
        self.running = asyncio.create_task(self.service.render(self.plan(240).plan))
        await self.assets.reading.wait()
        return self

    async def end(self):
        self.assets.gate.set()
        await self.running
        await self.service.close()


@pytest.fixture
async def busy(catalogue):
    tier = FakeTier()
    busy = await Busy(catalogue, threads=1, tiers=[tier]).begin()
    busy.tier = tier
    yield busy
    await busy.end()


async def ask(workshop, *, extension="auto", accept=CHROME, webp_first_s=SOON_S):
    """The headers of the alias's answer."""
    route = AliasRoute(
        planner=workshop.planner, service=workshop.service, webp_first_s=webp_first_s
    )
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/img/ring/hero/160.{extension}",
        "raw_path": f"/img/ring/hero/160.{extension}".encode(),
        "query_string": b"metal=silver",
        "headers": [(b"accept", accept.encode())],
    }
    await route(scope, None, send)
    assert sent[0]["status"] == 302
    return httpx.Headers(sent[0]["headers"])


def silver(workshop, file_format):
    return workshop.plan(metal="silver", file_format=file_format)


async def test_a_webp_is_answered_with_where_the_avif_would_have_to_wait(busy):
    told = await ask(busy)
    assert told["location"] == build_image_path(silver(busy, Format.WEBP).image)


async def test_the_answer_says_what_it_stands_for_and_where_that_will_be(busy):
    told = await ask(busy)
    avif = build_image_path(silver(busy, Format.AVIF).image)
    assert told["render-instead-of"] == "image/avif"
    assert f'<{avif}>; rel="alternate"; type="image/avif"' in told["link"]
    assert (told["cache-control"], told["vary"]) == (INSTEAD_CACHE_CONTROL, "Accept")


async def test_the_avif_is_made_when_there_is_room(busy):
    await ask(busy)
    busy.assets.gate.set()
    avif = silver(busy, Format.AVIF)
    await until(lambda: avif.key in busy.memory)
    assert (await ask(busy))["location"] == build_image_path(avif.image)


async def test_an_idle_service_gives_the_avif(catalogue):
    workshop = Workshop(catalogue)
    told = await ask(workshop)
    assert told["location"].endswith(".avif")
    assert (told["cache-control"], "render-instead-of" in told) == (CACHE_CONTROL, False)
    await workshop.service.close()


async def test_an_avif_that_memory_holds_is_given(busy, catalogue):
    avif = silver(busy, Format.AVIF)
    busy.memory.put(avif.key, await made_elsewhere(catalogue, avif))
    assert (await ask(busy))["location"].endswith(".avif")


async def test_an_avif_that_a_tier_holds_is_given(busy, catalogue):
    avif = silver(busy, Format.AVIF)
    busy.tier.held[avif.key] = await made_elsewhere(catalogue, avif)
    assert (await ask(busy))["location"].endswith(".avif")


async def made_elsewhere(catalogue, planned):
    other = Workshop(catalogue)
    served = await other.service.render(planned.plan)
    await other.service.close()
    return served.rendition


@pytest.mark.parametrize(
    "accept", ["image/avif,*/*", "image/avif,image/webp;q=0.9", "image/avif,image/webp;q=0"]
)
async def test_who_prefers_avif_gets_it(busy, accept):
    assert (await ask(busy, accept=accept))["location"].endswith(".avif")


async def test_who_names_the_format_gets_it(busy):
    told = await ask(busy, extension="avif")
    assert (told["location"].endswith(".avif"), told["cache-control"]) == (True, CACHE_CONTROL)


async def test_an_avif_that_is_soon_enough_is_given(busy):
    assert (await ask(busy, webp_first_s=100))["location"].endswith(".avif")


async def test_it_can_be_turned_off(busy):
    assert (await ask(busy, webp_first_s=0))["location"].endswith(".avif")


async def test_an_idle_service_asks_no_tier(catalogue):
    tier = FakeTier()
    workshop = Workshop(catalogue, tiers=[tier])
    await ask(workshop)
    assert tier.asked == []
    await workshop.service.close()


def test_a_server_with_many_cold_pictures_offers_webp_until_the_avif_is_there(tmp_path):
    alias = "/img/solitaire-ring/top/160.auto?gem=ruby"
    with (
        run_server(COMPOSITIONS, tmp_path, render_threads=1, webp_first_s=0.001) as server,
        httpx.Client(base_url=server.url, headers={"accept": CHROME}, timeout=60) as client,
    ):

        def led_to():
            return client.get(alias).headers["location"]

        async def crowd():
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as others:
                gems = ("diamond", "emerald", "amethyst")
                paths = [f"/img/solitaire-ring/hero/1600.avif?gem={gem}" for gem in gems]
                asking = [
                    asyncio.create_task(others.get(path, follow_redirects=True)) for path in paths
                ]
                while not (await asyncio.to_thread(led_to)).endswith(".webp"):
                    assert not all(one.done() for one in asking), "it was never too busy"
                return [answer.status_code for answer in await asyncio.gather(*asking)]

        assert set(asyncio.run(crowd())) <= {200, 503}
        wait_until(lambda: led_to().endswith(".avif"), lambda: server.log.read_text())
        picture = client.get(led_to())
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/avif")

"""A session of the shopper model, lived through against a real service, as the page at `/` does.

The rule: a picture that the browser has is not asked for again, and what is preloaded gives way to
what was clicked, as browsers do.
"""

import asyncio
import json
import time
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from benchmarks.asking import Answer, Client
from loadtests.asking import COMPOSITIONS
from loadtests.shoppers import Kind, Shopper, Step


class Way(StrEnum):
    """How what comes next is seen to."""

    WITHOUT = "without"
    AHEAD = "drawn ahead"
    PRELOADED = "drawn ahead, preloaded"


class Look(Struct, frozen=True, kw_only=True):
    """What came of one step of a session.

    Attributes:
        kind: The step.
        source: `browser`: it had the picture; `held`: the service had; `waited`: it had not;
            `refused`: there was none.
        small_held: Of the small pictures that were asked for, those the service had.
        small: How many of these were asked for.
        latency_ms: From the step until the large picture was there.
        number: Of the session.
    """

    kind: Kind
    source: str
    small_held: int
    small: int
    latency_ms: float
    number: int


class Session:
    """One shopper in a browser that keeps what it was sent."""

    def __init__(self, client: Client, shopper: Shopper, number: int, way: Way) -> None:
        self._client, self._shopper, self._number, self._way = client, shopper, number, way
        self._held = set[str]()
        self._preloading = set[asyncio.Task[None]]()
        self._resolved: dict[str, Any] = {}
        self.looks: list[Look] = []

    async def run(self) -> None:
        """Live through it."""
        step: Step | None = self._shopper.first_step()
        while step is not None:
            await asyncio.sleep(step.dwell_s)
            step = await self._follow(step) or self._shopper.next_step()
        await self._give_up_preloading()

    async def _follow(self, step: Step) -> Step | None:
        clicked_s = time.perf_counter()
        # As the page does: what may come next gives way to what was asked for.
        await self._give_up_preloading()
        if step.kind is not Kind.TURN:
            asked = self._shopper.asks(step, hints=self._way is not Way.WITHOUT)
            path = f"{COMPOSITIONS}/{self._shopper.product.id}/resolve"
            answer = await self._client.post(path, json.dumps(asked).encode())
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {answer.body.decode()}")
            self._resolved = json.loads(answer.body)
            if not self._resolved["valid"]:
                return self._shopper.take(self._resolved["nearest"])
        large, *small = self._shopper.looks_at(self._resolved["images"], step)
        wanted = [url for url in small if url not in self._held]
        others = asyncio.gather(*(self._fetch(url) for url in wanted))
        source = await self._see(large)
        latency_ms = 1000 * (time.perf_counter() - clicked_s)
        seen = await others
        self.looks.append(
            Look(
                kind=step.kind,
                source=source,
                small_held=sum(answer.was_held for answer in seen),
                small=len(seen),
                latency_ms=latency_ms,
                number=self._number,
            )
        )
        if self._way is Way.PRELOADED:
            self._preload()
        return None

    async def _see(self, url: str) -> str:
        if url in self._held:
            return "browser"
        answer = await self._fetch(url)
        if answer.status != 200:
            return "refused"
        return "held" if answer.was_held else "waited"

    async def _fetch(self, url: str) -> Answer:
        answer = await self._client.get(urlsplit(url).path, self._shopper.browser.accept)
        if answer.status == 200:
            self._held.add(url)
        elif answer.status != 503:
            raise RuntimeError(f"{url} answered {answer.status}: {answer.body.decode()}")
        return answer

    def _preload(self) -> None:
        # As the page does: one after the other, and no more once one was refused.
        async def fetch() -> None:
            for url in self._shopper.preloads(self._resolved["neighbours"]):
                if url not in self._held and (await self._fetch(url)).status != 200:
                    return

        self._preloading.add(asyncio.create_task(fetch()))

    async def _give_up_preloading(self) -> None:
        for task in self._preloading:
            task.cancel()
        ended = await asyncio.gather(*self._preloading, return_exceptions=True)
        self._preloading.clear()
        for error in ended:
            if isinstance(error, Exception):
                raise error

"""Arrivals of a mix: as many at once as the server can use, or so many a second whatever it does.

The rule: of an open loop a request is sent at its time whether or not the last was answered, and
its latency counts from that time.
"""

import asyncio
import random
import resource
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from benchmarks.asking import Client
from benchmarks.mix import Priced
from benchmarks.overload import BUSY

RAMP_S: Final = 3.0
"""Not measured at the start of each phase: the line fills, or empties."""

AGAIN_S: Final = 0.2
"""Whoever is refused in the closed loop waits so long, as a loop of refusals measures nothing."""

DRAWN_MIN: Final = 20
"""Pictures that a closed loop draws at least: five for each render thread of two processes."""

DRAWN_WITHIN_S: Final = 120.0

CLASSES: Final = ("hit", "small, drawn", "large, drawn")


class Answered(Struct, frozen=True, kw_only=True):
    """What came of one request.

    Attributes:
        kind: One of `CLASSES`.
        cost_ms: What it was expected to take, drawn or not; 0 for a hit.
        status: Of HTTP.
        latency_ms: From the time it was due.
    """

    kind: str
    cost_ms: float
    status: int
    latency_ms: float


class Phase(Struct, frozen=True, kw_only=True):
    """What one phase measured.

    Attributes:
        answers: Of its measured part.
        lasted_s: That part.
        generator: Cores that the generator took.
    """

    answers: tuple[Answered, ...]
    lasted_s: float
    generator: float


class Load:
    """Asks the server at `port` for what `draw` returns."""

    def __init__(self, port: int, draw: Callable[[], Priced]) -> None:
        self._client, self._draw = Client(port), draw
        self._chance = random.Random(1)  # noqa: S311  # the same arrivals in every run
        self._answers: list[Answered] = []

    async def closed(self, duration_s: float) -> Phase:
        """Keep the server busy: as many at once as it has render threads to spare, and no more.

        On a slow machine it goes on until `DRAWN_MIN` pictures were drawn: none say nothing.

        Raises:
            RuntimeError: They were not, within `DRAWN_WITHIN_S`.
        """
        over = asyncio.Event()

        async def stay() -> None:
            while not over.is_set():
                if await self._ask(self._draw(), time.perf_counter()) != 200:
                    await asyncio.sleep(AGAIN_S)

        tasks = [asyncio.create_task(stay()) for _ in range(BUSY)]
        try:
            phase = await self._measured(duration_s, at_least=DRAWN_MIN)
        finally:
            over.set()
            await asyncio.gather(*tasks)
        return phase

    async def open(self, per_s: float, duration_s: float) -> Phase:
        """Let `per_s` requests arrive each second, at random instants."""
        asked = set[asyncio.Task[int]]()

        async def arrive() -> None:
            at_s = time.perf_counter()
            ends_s = at_s + RAMP_S + duration_s
            while at_s < ends_s:
                at_s += self._chance.expovariate(per_s)
                await asyncio.sleep(max(0.0, at_s - time.perf_counter()))
                asked.add(asyncio.create_task(self._ask(self._draw(), at_s)))

        arriving = asyncio.create_task(arrive())
        phase = await self._measured(duration_s, at_least=0)
        await arriving
        await asyncio.gather(*asked)
        return phase

    async def close(self) -> None:
        """Close what is open, and wait until it is closed."""
        await self._client.close()

    async def _ask(self, asked: Priced, at_s: float) -> int:
        answer = await self._client.get(asked.picture.path, asked.accept)
        kind = CLASSES[0] if answer.was_held else CLASSES[1 if asked.small else 2]
        self._answers.append(
            Answered(
                kind=kind,
                cost_ms=0.0 if answer.was_held else asked.picture.cost_ms,
                status=answer.status,
                latency_ms=1000 * (time.perf_counter() - at_s),
            )
        )
        return answer.status

    async def _measured(self, duration_s: float, *, at_least: int) -> Phase:
        await asyncio.sleep(RAMP_S)
        counted: list[Answered] = []
        self._answers = counted
        began_s, used_s = time.perf_counter(), _processor_s()
        await asyncio.sleep(duration_s)
        while sum(a.status == 200 and a.cost_ms > 0 for a in counted) < at_least:
            if time.perf_counter() - began_s > max(duration_s, DRAWN_WITHIN_S):
                raise RuntimeError(f"fewer than {at_least} pictures in {DRAWN_WITHIN_S:.0f} s")
            await asyncio.sleep(AGAIN_S)
        lasted_s = time.perf_counter() - began_s
        generator = (_processor_s() - used_s) / lasted_s
        self._answers = []
        return Phase(answers=tuple(counted), lasted_s=lasted_s, generator=generator)


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

"""The traffic of a soak: every picture once when it is cold, and ten times when it is warm.

Its one rule: every answer is read whole and counted by where it came from; one that is not 200
ends the soak.
"""

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Final

CONNECTIONS: Final = 8
"""To each process at once: more than it has render threads, fewer than its queue is long."""

_REQUESTS_A_CONNECTION: Final = 100
"""A connection is then closed and another made: visitors come and go."""

_WARM: Final = 200
"""Pictures asked for again are among the last 200: they fit into the memory of a process."""

_ELSEWHERE: Final = 10
"""One hit in ten is asked of another process than the one that drew: it comes from Redis."""


class Refused(Exception):
    """An answer that is not 200: the figures of a soak with errors say nothing."""


class Traffic:
    """What is asked of the processes of a soak.

    Attributes:
        sources: Answers by where they came from, as in Cache-Status: `render`, `memory`, `redis`.
    """

    def __init__(self, ports: Sequence[int], *, seed: int) -> None:
        """Ask the processes at `ports`; `seed` decides what is asked again."""
        self.sources: Counter[str] = Counter()
        self._ports = ports
        self._warm = {port: deque[str](maxlen=_WARM) for port in ports}
        self._chance = random.Random(seed)  # noqa: S311  # what is asked again; no secret

    async def run(self, paths: Sequence[str], *, hits: int) -> None:
        """Ask for each of `paths` once and `hits` times for one that was asked for before.

        Raises:
            Refused: Something was not answered with 200.
            OSError: A process is gone.
        """
        # Each begins with a picture of its own: before that there is nothing to ask for again.
        each = min(CONNECTIONS * len(self._ports), len(paths))
        async with asyncio.TaskGroup() as group:
            for number in range(each):
                port = self._ports[number % len(self._ports)]
                mine = paths[number::each]
                share = hits // each + (number < hits % each)
                group.create_task(self._visit(port, mine, share))

    async def _visit(self, port: int, paths: Sequence[str], hits: int) -> None:
        asked = list(self._plan(port, paths, hits))
        for begin in range(0, len(asked), _REQUESTS_A_CONNECTION):
            await self._ask_all(port, asked[begin : begin + _REQUESTS_A_CONNECTION])

    def _plan(self, port: int, paths: Sequence[str], hits: int) -> Iterator[str | None]:
        """Yield the paths, and None for each hit, evenly mixed."""
        done = 0
        for number, path in enumerate(paths, 1):
            yield path
            share = hits * number // len(paths)
            yield from [None] * (share - done)
            done = share

    async def _ask_all(self, port: int, paths: Sequence[str | None]) -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        try:
            for path in paths:
                wanted = path or self._again(port)
                try:
                    source = await _ask(*connection, wanted)
                except (asyncio.IncompleteReadError, ConnectionError):
                    # A server closes what was idle for long, as on a busy machine a client may
                    # seem to be; who finds it closed asks again, as browsers do, and once.
                    await _close(connection[1])
                    connection = await asyncio.open_connection("127.0.0.1", port)
                    source = await _ask(*connection, wanted)
                self.sources[source] += 1
                if path:
                    self._warm[port].append(path)
        finally:
            await _close(connection[1])

    def _again(self, port: int) -> str:
        others = [other for other in self._ports if self._warm[other]]
        where = self._chance.choice(others) if self._chance.randrange(_ELSEWHERE) == 0 else port
        return self._chance.choice(self._warm[where] or self._warm[others[0]])


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> str:
    """Ask for `path`, read the answer whole and return where it came from."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    if lines[0].split()[1] != "200":
        raise Refused(f"{path}: {lines[0]}")
    return headers["cache-status"].rpartition("detail=")[2]

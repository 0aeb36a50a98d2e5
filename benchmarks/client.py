"""A client that keeps a server busy: so many requests at once, each as soon as its answer is whole.

The rule: it asks every server in the same way, and an answer that is not 200 ends the benchmark.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Refused(Exception):
    """An answer that is not 200: figures with errors in them say nothing."""


class Answer(NamedTuple):
    """An answer, whole.

    Attributes:
        status: Of HTTP.
        headers: By name in lower case.
        body: Of the size that Content-Length says.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection to 127.0.0.1 that is kept; opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._close()

    async def get(self, path: str) -> Answer:
        """Return the answer to `path`.

        Raises:
            Refused: It is not 200.
        """
        if self._streams is not None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                return await self._ask(*self._streams, path)
            await self._close()
        self._streams = streams = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._ask(*streams, path)

    async def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            with contextlib.suppress(ConnectionError):
                await self._streams[1].wait_closed()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
    ) -> Answer:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        status = int(head[0].split()[1])
        body = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection", "").lower() == "close":
            await self._close()
            self._streams = None
        if status != 200:
            raise Refused(f"{path}: {head[0]}: {body[:500].decode(errors='replace')}")
        return Answer(status, headers, body)


async def ask_all(port: int, paths: Iterable[str], *, at_once: int = 1) -> list[Answer]:
    """Return the answers to `paths`, in the order in which they came.

    Raises:
        Refused: One is not 200.
    """
    answers: list[Answer] = []
    left = iter(paths)

    async def visit() -> None:
        async with Connection(port) as connection:
            for path in left:
                answer = await connection.get(path)
                answers.append(answer)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(visit())
    return answers


async def keep_busy(port: int, paths: Iterator[str], *, at_once: int, seconds: float) -> float:
    """Return the answers a second while `at_once` requests were always under way.

    Counted from the answer by which every first one could be there (the `at_once`-th) to the last
    one within `seconds` of it; at least twice `at_once` answers are waited for.

    Raises:
        Refused: An answer is not 200.
    """
    answered_s: list[float] = []

    def is_over() -> bool:
        if len(answered_s) < 3 * at_once:
            return False
        return time.perf_counter() - answered_s[at_once - 1] >= seconds

    async def visit() -> None:
        async with Connection(port) as connection:
            while not is_over():
                await connection.get(next(paths))
                # What comes when the time is over came while fewer were under way.
                if not is_over():
                    answered_s.append(time.perf_counter())

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(visit())
    counted = answered_s[at_once - 1 :]
    return (len(counted) - 1) / (counted[-1] - counted[0])

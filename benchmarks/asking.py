"""A client for benchmarks: HTTP/1.1 over connections that are kept, and nothing that takes time.

The rule: an answer is read whole before its connection is used again, and a question that is given
up closes its connection, as a browser does.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import NamedTuple


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: Of HTTP.
        headers: Names in lower case.
        body: Whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def was_held(self) -> bool:
        """Whether `Cache-Status` (RFC 9211) says it was there when it was asked for."""
        parts = self.headers.get("cache-status", "").split(";")
        return "hit" in {part.strip() for part in parts[1:]}


class Client:
    """Asks the service at `port` of this machine, one question at a time on each connection.

    `async with Client(port) as client:` closes the connections at the end.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, accept: str = "*/*") -> Answer:
        """Return the answer to GET `path`.

        Raises:
            OSError, EOFError: The service is gone.
        """
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n"
        return await self._ask(head)

    async def post(self, path: str, body: bytes) -> Answer:
        """Return the answer to POST `path` with a `body` of JSON.

        Raises:
            OSError, EOFError: The service is gone.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head, body)

    async def close(self) -> None:
        """Close what is open, and wait until it is closed."""
        while self._free:
            await _close(self._free.pop()[1])

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def _ask(self, head: str, body: bytes = b"") -> Answer:
        request = head.encode() + body
        while self._free:
            try:
                return await self._ask_on(*self._free.pop(), request)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server closes what was idle for five seconds: the next one, or a new one.
                continue
        return await self._ask_on(*await asyncio.open_connection("127.0.0.1", self._port), request)

    async def _ask_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> Answer:
        try:
            writer.write(request)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection", "").lower() == "close":
            await _close(writer)
        else:
            self._free.append((reader, writer))
        return Answer(int(lines[0].split(" ", 2)[1]), headers, body)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()

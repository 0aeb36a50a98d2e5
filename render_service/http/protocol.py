"""uvicorn's HTTP protocol, which sends a head that was made before as it is.

uvicorn checks and joins every header of every answer, about 1.3 microseconds each: with the twelve
of a picture that is as much as all the rest of a hit. A message may carry its headers ready made
under `head`; any other server ignores that key and sends the same headers from the message itself.
"""

import asyncio
import re
import sys
from asyncio import TimerHandle
from collections.abc import Sequence
from typing import Any, Final

from httptools import HttpParserInvalidMethodError
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from render_service.http.problems import describe_status
from render_service.telemetry import instruments

HEAD_BYTES_MAX: Final = 64 * 1024
"""Bytes of a request line and its headers, give or take a piece: four times the 16 KiB of Node.js,
so nothing that passed a proxy is refused here."""

_PIECE_BYTES: Final = 16 * 1024

HEAD_S_MAX: Final = 10
"""Seconds from a connection, or the first byte of a request, to the end of its head: a phone on a
bad line needs one or two; as HAProxy's guide has it (`timeout http-request 10s`)."""

# A token and a target, RFC 9112: the parser knows the methods of the registry and no others.
_METHOD_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) [/*][^ ]* HTTP/1")

HEAD: Final = "head"
"""Key of a start message: its headers as bytes of HTTP/1.1, from `join_head`."""

SIZE: Final = "size_bytes"
"""Key of a start message that has a head: length of the body."""


def join_head(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the header lines of an answer 200, without the final empty line.

    Raises:
        ValueError: A name or value holds a line break, which would begin another header.
    """
    for name, value in headers:
        if {*name, *value} & {*b"\r\n\0"}:
            raise ValueError(f"{name!r} or its value holds a line break")
    return b"".join(b"%b: %b\r\n" % header for header in headers)


class PreparedHeads(HttpToolsProtocol):
    """The protocol for `uvicorn.Config(http=…)`.

    It also bounds what uvicorn leaves open: how long the head of a request may be, and how long
    one may take to arrive. Both cost nothing to a head that arrives at once.
    """

    _head_bytes = 0
    _head_timer: TimerHandle | None = None
    _fed = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first head its time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._end_head()

    def data_received(self, data: bytes) -> None:
        """Parse `data`, and count it while it belongs to the head of a request.

        Parsed in pieces, so that a head is stopped soon after its bound however it arrives.
        """
        for begin in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            self._fed = data[begin : begin + _PIECE_BYTES]
            before = self.scope
            super().data_received(self._fed)
            cycle = self.cycle
            if cycle is None or cycle.scope is not self.scope:
                # Of a piece in which a head begins nobody knows how much belongs to it.
                self._count_head(len(self._fed) if self.scope is before else 0)
            elif self._head_timer is not None:
                self._end_head()
        self._fed = b""

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with a problem, instead of uvicorn's plain text."""
        method = _METHOD_LINE.match(self._fed)
        if method is not None and isinstance(sys.exc_info()[1], HttpParserInvalidMethodError):
            detail = f"The method {method[1].decode()} is none of those taken here."
            return self._refuse(405, detail, [("allow", "GET, HEAD")])
        self._refuse(400, msg)

    def on_headers_complete(self) -> None:
        """Let the cycle that uvicorn has just made send prepared heads."""
        super().on_headers_complete()
        if type(self.cycle) is RequestResponseCycle:
            # It has not run yet: uvicorn starts it as a task, or queues it. A cycle of our own
            # would mean a copy of all that uvicorn does here.
            self.cycle.__class__ = _Cycle

    def _count_head(self, size_bytes: int) -> None:
        if self._head_timer is None:
            self._await_head()
        self._head_bytes = self._head_bytes + size_bytes if size_bytes else 0
        if self._head_bytes <= HEAD_BYTES_MAX or self.transport.is_closing():
            return
        if self.scope is not None and len(self.url) > HEAD_BYTES_MAX // 2:
            return self._refuse(414, "The address is longer than any of this service.")
        self._refuse(431, f"The head of a request has at most {HEAD_BYTES_MAX} bytes.")

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S_MAX, self._give_up)

    def _end_head(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if self._is_answering():
            # Reading may be paused for the answer before: not the client's delay.
            return self._await_head()
        if self.scope is None:
            return self.transport.close()
        self._refuse(408, f"The head of a request has {HEAD_S_MAX} s to arrive.")

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, detail: str, facts: Sequence[tuple[str, str]] = ()) -> None:
        """Answer with a problem and close; only close, if that would cut into another answer."""
        if not self._is_answering():
            url = b"" if self.scope is None else self.url
            path = url.partition(b"?")[0].decode("latin-1")
            problem = describe_status(status, detail, path, dict(facts))
            instruments.refused.add(1, str(status))
            headers = [
                *self.server_state.default_headers,
                *((name.encode(), value.encode("latin-1")) for name, value in problem.headers),
                (b"connection", b"close"),
            ]
            head = STATUS_LINE[status] + join_head(headers) + b"\r\n"
            self.transport.write(head + problem.body)
        self.transport.close()


class _Cycle(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: Any) -> None:  # noqa: ANN401  # ASGI's own types are closed
        head = message.get(HEAD)
        if head is None or not self._may_prepare():
            return await super().send(message)
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        self.expected_content_length = message[SIZE]
        lines = b"".join(b"%b: %b\r\n" % header for header in self.default_headers)
        self.transport.write(b"HTTP/1.1 200 OK\r\n" + lines + head + b"\r\n")

    def _may_prepare(self) -> bool:
        """Whether there is nothing about this answer that uvicorn must do itself."""
        return (
            self.keep_alive
            and not self.response_started
            and not self.disconnected
            and not self.access_log
            and not self.flow.write_paused
        )

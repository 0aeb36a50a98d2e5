"""A TCP proxy between a service and a real server, which fails as networks and servers do.

Its one rule: what it does is switched at run time and counts for the connections that are open as
for those to come; what it held back while it was silent it passes on late, never drops.

Our own, because none can be installed: toxiproxy is a Go program that neither Debian nor PyPI nor
npm packages; what these have under that name are clients of it, the newest for Python of 2019. The
modes here are its toxics and two more (refused, and an answer made up), in one thread of a test.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

from tests.servers import free_port

PIECE_BYTES = 65536
TICKS_PER_S = 50
"""A drip is passed on in fifty pieces a second: smoother than any timeout here is short."""

ASKED, ANSWERED = "asked", "answered"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mode:
    """How it behaves; each switch makes a new one, so that counts begin anew."""

    latency_s: float = 0.0
    silent: bool = False
    way: str = ANSWERED
    end_after_bytes: int | None = None
    reset: bool = False
    bytes_per_s: int | None = None
    made_up: bytes | None = None


class Passing:
    """How far one way of one connection has come in its mode."""

    def __init__(self, mode):
        self.mode, self.passed_bytes = mode, 0

    def switch(self, mode):
        if mode is not self.mode:
            self.mode, self.passed_bytes = mode, 0

    def ends(self, way):
        return self.mode.way == way and self.passed_bytes == self.mode.end_after_bytes


class FaultProxy:
    """A proxy in front of the server at `target_port`.

    Attributes:
        port: Where it listens; the same after `refuse`.
        connections: Connections accepted so far.
        asked: All that clients have sent so far, whether it was passed on or not.
    """

    def __init__(self, target_port):
        self.port, self.target_port = free_port(), target_port
        self.connections, self.asked = 0, bytearray()
        self._mode = Mode()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        self._listener = None
        self._visits = set()

    @property
    def redis_url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def http_url(self):
        return f"http://127.0.0.1:{self.port}"

    def count(self, word):
        """How often `word` (bytes) stands in what clients have sent."""
        return bytes(self.asked).count(word)

    def flow(self):
        """Pass everything on, what was held back first; accept again."""
        self._switch(Mode())

    def delay(self, latency_s):
        """Pass every answer on `latency_s` late."""
        self._switch(Mode(latency_s=latency_s))

    def silence(self):
        """Accept, read, and pass nothing on."""
        self._switch(Mode(silent=True))

    def cut(self, after_bytes, way=ANSWERED):
        """Close each connection after `after_bytes` more bytes that way."""
        self._switch(Mode(end_after_bytes=after_bytes, way=way))

    def reset(self, after_bytes=0, way=ASKED):
        """Reset each connection (RST) after `after_bytes` more bytes that way."""
        self._switch(Mode(end_after_bytes=after_bytes, way=way, reset=True))

    def drip(self, bytes_per_s, way=ANSWERED):
        """Pass on `bytes_per_s` that way."""
        self._switch(Mode(bytes_per_s=bytes_per_s, way=way))

    def make_up(self, answer):
        """Answer each piece that is asked with `answer`; the server hears nothing."""
        self._switch(Mode(made_up=answer))

    def refuse(self):
        """Close what is open; refuse connections from now on."""
        self._do(self._stop_listening())

    def start(self):
        self._thread.start()
        self._do(self._listen())

    def stop(self):
        self._do(self._stop_listening())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _switch(self, mode):
        self._do(self._apply(mode))

    async def _apply(self, mode):
        self._mode = mode
        if self._listener is None:
            await self._listen()

    async def _listen(self):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        listener.setblocking(False)
        self._listener = listener
        self._loop.add_reader(listener, self._accept)

    def _accept(self):
        # By hand: asyncio's own server leaves what it accepted just before it was closed hanging.
        with contextlib.suppress(BlockingIOError):
            accepted, _ = self._listener.accept()
            accepted.setblocking(False)
            self.connections += 1
            visit = self._loop.create_task(self._serve(accepted))
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)

    async def _stop_listening(self):
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        # One step each, so that what they hold is closed when they are cancelled.
        await asyncio.sleep(0)
        visits = list(self._visits)
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    async def _serve(self, accepted):
        with accepted:
            reader, writer = await asyncio.open_connection(sock=accepted)
            await self._visit(reader, writer)

    async def _visit(self, reader, writer):
        ends = [writer]
        try:
            onward = await asyncio.open_connection("127.0.0.1", self.target_port)
            ends.append(onward[1])
            pumps = [
                asyncio.create_task(self._pump(reader, onward[1], ASKED, writer)),
                asyncio.create_task(self._pump(onward[0], writer, ANSWERED, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in ends:
                end.close()

    async def _pump(self, reader, writer, way, client):
        """Pass on what comes `way`, until an end or the mode says so."""
        passing = Passing(self._mode)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(PIECE_BYTES):
                if way == ASKED:
                    self.asked += data
                while data:
                    await self._while_silent()
                    passing.switch(self._mode)
                    data = await self._pass_on(passing, way, data, writer, client)
                    if passing.ends(way):
                        return _end(client, reset=passing.mode.reset)

    async def _pass_on(self, passing, way, data, writer, client):
        """Pass a piece of `data` on, as the mode says; return the rest."""
        mode, size = passing.mode, len(data)
        if mode.made_up is not None:
            if way == ASKED:
                client.write(mode.made_up)
            return b""
        if way == mode.way and mode.end_after_bytes is not None:
            size = min(size, mode.end_after_bytes - passing.passed_bytes)
        if way == mode.way and mode.bytes_per_s is not None:
            size = min(size, max(1, mode.bytes_per_s // TICKS_PER_S))
            await asyncio.sleep(1 / TICKS_PER_S)
        if way == ANSWERED and mode.latency_s:
            await asyncio.sleep(mode.latency_s)
        if size:
            writer.write(data[:size])
            await writer.drain()
        passing.passed_bytes += size
        return data[size:]

    async def _while_silent(self):
        while self._mode.silent:  # noqa: ASYNC110  # the mode may be switched many times meanwhile
            await asyncio.sleep(0.005)


def _end(writer, *, reset):
    if reset:
        wire = writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()


@contextlib.contextmanager
def run_proxy(target_port):
    """Run a proxy in front of the server at `target_port`."""
    proxy = FaultProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()

"""Raw ASGI answers: the types, and how a whole answer is sent.

Used where no framework stands between the server and us; header names are lower case.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, TypeVar

from render_service.http.problems import Problem, describe_error

T = TypeVar("T")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client closed the connection before its answer was ready."""


def header_bytes(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return `pairs` as ASGI wants them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def read_header(scope: Scope, name: bytes) -> str | None:
    """Return the value of the header `name` (lower case), its lines joined by commas, or None."""
    lines = [value for key, value in scope["headers"] if key == name]
    return b",".join(lines).decode("latin-1") if lines else None


def instance_of(scope: Mapping[str, Any]) -> str:
    """Return the path that was asked for as the client spelled it, for a problem document."""
    raw_path: bytes = scope["raw_path"]
    return raw_path.decode("latin-1")


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer. For HEAD the server keeps the body to itself."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: Problem) -> None:
    """Send a problem document."""
    await send_whole(send, problem.status, header_bytes(problem.headers), problem.body)


async def answer_or_problem(answer: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Have a request answered: an error by its problem document, who has left by nothing."""
    try:
        await answer(scope, receive, send)
    except ClientGone:
        return
    except Exception as error:
        await send_problem(send, describe_error(error, instance_of(scope)))


async def unless_gone(receive: Receive, work: Awaitable[T]) -> T:
    """Return what `work` brings; cancel it when the client closes the connection.

    Raises:
        ClientGone: The client left first.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left; a request body on the way is read past."""
    while (await receive())["type"] != "http.disconnect":
        pass

"""A service process of a soak: the service as it is, and what it holds at `/soak`.

Its one rule: nothing of the service is changed. The census stands in front of the application, and
is asked only while nothing else is.
"""

import asyncio
import gc
import os
import threading

import msgspec
from msgspec import Struct

from render_service.environment import read_settings
from render_service.http import server
from render_service.http.replies import App, Receive, Scope, Send, send_whole

PATH = "/soak"


class Inside(Struct, frozen=True, kw_only=True):
    """What a process holds, as only it can count.

    Attributes:
        tasks: asyncio tasks that are not done; the one that counts is among them.
        threads: Threads that Python knows.
        objects: Objects that the garbage collector watches, after a collection.
    """

    tasks: int
    threads: int
    objects: int


class Census:
    """The application, and `/soak` in front of it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            return await self._app(scope, receive, send)
        gc.collect()
        inside = Inside(
            tasks=len(asyncio.all_tasks()),
            threads=threading.active_count(),
            objects=len(gc.get_objects()),
        )
        body = msgspec.json.encode(inside)
        await send_whole(send, 200, [(b"content-length", str(len(body)).encode())], body)


def main() -> None:
    """Serve by the settings of the environment, as `render-service serve` does."""
    create = server.create_app
    # uvicorn finds the application by this name; with one worker, in this very process.
    setattr(server, "create_app", lambda: Census(create()))  # noqa: B010  # mypy refuses the other spelling
    server.serve(read_settings(os.environ))


if __name__ == "__main__":
    main()

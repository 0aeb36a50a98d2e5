"""`/metrics`: what Prometheus reads, of all processes whichever is asked.

Gathered on a thread, once for all who wait, so that asking costs pictures little however many ask.
"""

import asyncio
from pathlib import Path
from typing import Final

from render_service.http.problems import describe_error, describe_status
from render_service.http.replies import (
    Receive,
    Scope,
    Send,
    header_bytes,
    instance_of,
    read_header,
    send_problem,
    send_whole,
)
from render_service.telemetry.exposition import Scrape, scrape

PATH: Final = b"/metrics"
"""The path, and its only spelling."""

_METHODS: Final = ("GET", "HEAD")


class MetricsRoute:
    """Serves `/metrics` from `folder`, where the processes count; None: from this one alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._gathering = asyncio.Lock()
        self._begun = 0
        self._found: dict[str, tuple[int, Scrape]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in _METHODS:
            detail = "Metrics are read with GET or HEAD."
            allow = {"allow": ", ".join(_METHODS)}
            problem = describe_status(405, detail, instance_of(scope), allow)
            return await send_problem(send, problem)
        try:
            found = await self._gather(read_header(scope, b"accept") or "")
        except Exception as error:
            return await send_problem(send, describe_error(error, instance_of(scope)))
        pairs = [
            ("content-type", found.media_type),
            ("content-length", str(len(found.body))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("vary", "Accept"),
        ]
        await send_whole(send, 200, header_bytes(pairs), found.body)

    async def _gather(self, accept: str) -> Scrape:
        came = self._begun
        async with self._gathering:
            number, found = self._found.get(accept, (0, None))
            # Gathered since this one came: by the first of those who waited with it.
            if found is not None and number > came:
                return found
            self._begun += 1
            found = await asyncio.to_thread(scrape, self._folder, accept)
            # Only of the last kind asked for: what Accept says is the client's to make up.
            self._found = {accept: (self._begun, found)}
            return found

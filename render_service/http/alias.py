"""The living alias `/img/…`: any spelling of a picture → 302 to its immutable URL.

The only place that negotiates a format, and the only one whose answer may change: it is cached
for a minute. Nothing is drawn here.
"""

from typing import Final
from urllib.parse import parse_qsl

from render_service.errors import MalformedPath
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
from render_service.planning.url import build_image_path, parse_alias_path
from render_service.releases.live import LivePlanner

CACHE_CONTROL: Final = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"

_METHODS: Final = ("GET", "HEAD")


class AliasRoute:
    """Serves `/img/…`; the arguments are those of `ImageRoute`."""

    def __init__(self, *, planner: LivePlanner, public_url: str = "") -> None:
        self._planner, self._public_url = planner, public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._answer(scope, send)
        except Exception as error:
            await send_problem(send, describe_error(error, instance_of(scope)))

    async def _answer(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in _METHODS:
            detail = "The alias is read with GET or HEAD."
            problem = describe_status(
                405, detail, instance_of(scope), {"allow": ", ".join(_METHODS)}
            )
            return await send_problem(send, problem)
        alias = parse_alias_path(scope["path"])
        accept = read_header(scope, b"accept") if alias.format is None else None
        planned = self._planner.plan_alias(alias, _selection(scope), accept)
        location = self._public_url + build_image_path(planned.image)
        pairs = [
            ("location", location),
            ("cache-control", CACHE_CONTROL),
            ("link", f'<{location}>; rel="canonical"'),
            ("content-length", "0"),
        ]
        if alias.format is None:
            pairs.append(("vary", "Accept"))
        await send_whole(send, 302, header_bytes(pairs), b"")


def _selection(scope: Scope) -> dict[str, str]:
    """The query as options; one given twice is refused, whichever would have won."""
    selection: dict[str, str] = {}
    query = scope["query_string"].decode("latin-1")
    for option, value in parse_qsl(query, keep_blank_values=True):
        if option in selection:
            raise MalformedPath("query", option, "each option once")
        selection[option] = value
    return selection

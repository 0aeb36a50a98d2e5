"""The front door: pictures go straight to the image route, everything else to the application.

Standing in front of the framework is what makes a hit cost a third; nothing is decided here but by
the first bytes of the path.
"""

from typing import cast

from render_service.http.alias import AliasRoute
from render_service.http.app import make_api
from render_service.http.images import ImageRoute
from render_service.http.protocol import HEAD
from render_service.http.replies import App, Message, Receive, Scope, Send
from render_service.http.stopping import stopping
from render_service.planning.planner import Planner
from render_service.planning.url import ALIAS_PREFIX, IMAGE_PREFIX
from render_service.rendering.service import RenderService


class FrontDoor:
    """The ASGI application of a process.

    Args:
        images: Serves the image route.
        alias: Serves the living alias.
        api: Serves the rest, and is told of start and stop.
    """

    def __init__(self, *, images: App, alias: App, api: App) -> None:
        self._images, self._alias, self._api = images, alias, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through start and stop."""
        if stopping.is_set():
            send = _closing(send)
        path: str = scope.get("path", "") if scope["type"] == "http" else ""
        if path.startswith(IMAGE_PREFIX):
            return await self._images(scope, receive, send)
        if path.startswith(ALIAS_PREFIX):
            return await self._alias(scope, receive, send)
        if scope.get("method") == "HEAD":
            # Litestar has no HEAD on GET routes; the server keeps a HEAD's body to itself.
            scope = {**scope, "method": "GET"}
        await self._api(scope, receive, send)


def make_app(
    *,
    planner: Planner,
    service: RenderService,
    public_url: str = "",
    drain_s: float = 0.0,
    webp_first_s: float = 0.0,
) -> FrontDoor:
    """Return the whole application; the arguments are those of its parts."""
    api = make_api(planner=planner, service=service, public_url=public_url, drain_s=drain_s)
    return FrontDoor(
        images=ImageRoute(planner=planner, service=service, public_url=public_url),
        alias=AliasRoute(
            planner=planner, service=service, public_url=public_url, webp_first_s=webp_first_s
        ),
        # Litestar's scopes and messages are TypedDicts, which no mutable mapping is to mypy.
        api=cast(App, api),
    )


def _closing(send: Send) -> Send:
    """Say in every answer that the connection closes: the next request goes to who stays."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            # Without a head made before, which lacks the new header.
            headers = [*message["headers"], (b"connection", b"close")]
            message = {**message, "headers": headers, HEAD: None}
        await send(message)

    return closing

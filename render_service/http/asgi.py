"""The front door: pictures go straight to the image route, everything else to the application.

Standing in front of the framework is what makes a hit cost a third; nothing is decided here but by
the first bytes of the path.
"""

from collections.abc import Iterable, Iterator
from typing import cast

from render_service.drafts.workshop import Workshop
from render_service.http.alias import AliasRoute
from render_service.http.app import make_api
from render_service.http.iiif import IiifRoute, Zoom
from render_service.http.images import ImageRoute
from render_service.http.media import MediaRoute
from render_service.http.metrics import PATH as METRICS_PATH
from render_service.http.metrics import MetricsRoute
from render_service.http.next_clicks import Foresight
from render_service.http.observed import ALIAS_ROUTE, METRICS_ROUTE, Observed
from render_service.http.previews import PREVIEW_ROUTE, PreviewRoute
from render_service.http.protocol import HEAD
from render_service.http.quarantine import QUARANTINE_PATH, QuarantineRoute
from render_service.http.replies import App, Message, Receive, Scope, Send
from render_service.http.stopping import stopping
from render_service.pixels.encode import PROFILES
from render_service.planning.iiif import IIIF_PREFIX
from render_service.planning.media import MEDIA_FORM, MEDIA_PREFIX
from render_service.planning.url import ALIAS_PREFIX, IMAGE_PREFIX, PREVIEW_PREFIX
from render_service.releases.follow import Follower
from render_service.releases.live import LivePlanner
from render_service.rendering.service import RenderService
from render_service.settings import Settings
from render_service.telemetry.running import Telemetry
from render_service.wiring import Selling, Uploading, build_selling

Beside = tuple[str, App, str | None]
"""How paths begin, who answers them, and the template of all of them, as in `Observed`."""


class FrontDoor:
    """The ASGI application of a process.

    Args:
        images: Serves the image route.
        alias: Serves the living alias.
        iiif: Serves deep zoom.
        previews: Serves pictures of drafts.
        api: Serves the rest, and is told of start and stop.
        beside: What else answers by the beginning of the path.
        telemetry: How requests are observed, which the image route sees to itself; and whether
            `/metrics` is served here.
    """

    def __init__(
        self,
        *,
        images: App,
        alias: App,
        iiif: App,
        previews: App,
        api: App,
        telemetry: Telemetry,
        beside: Iterable[Beside] = (),
    ) -> None:
        self._images, self._api = images, api
        prefixed: tuple[Beside, ...] = (
            (ALIAS_PREFIX, alias, ALIAS_ROUTE),
            (IIIF_PREFIX, iiif, None),
            (PREVIEW_PREFIX, previews, PREVIEW_ROUTE),
        )
        self._prefixed = [
            (prefix, Observed(app, route, telemetry.access_log))
            for prefix, app, route in (*prefixed, *beside)
        ]
        self._rest = Observed(self._ask_api, None, telemetry.access_log)
        self._metrics = None
        if telemetry.scraped:
            metrics = MetricsRoute(telemetry.folder)
            self._metrics = Observed(metrics, METRICS_ROUTE, telemetry.access_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through start and stop."""
        if stopping.is_set():
            send = _closing(send)
        if scope["type"] != "http":
            return await self._api(scope, receive, send)
        path: str = scope["path"]
        if path.startswith(IMAGE_PREFIX):
            return await self._images(scope, receive, send)
        for prefix, app in self._prefixed:
            if path.startswith(prefix):
                return await app(scope, receive, send)
        # By the path as it was sent: an edge that keeps this address to itself knows one spelling.
        if scope["raw_path"] == METRICS_PATH and self._metrics is not None:
            return await self._metrics(scope, receive, send)
        await self._rest(scope, receive, send)

    async def _ask_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Litestar has no HEAD on GET routes; the server keeps a HEAD's body to itself.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        await self._api(asked, receive, send)
        scope["path_template"] = asked.get("path_template", "")


def make_app(
    *,
    planner: LivePlanner,
    service: RenderService,
    zoom: Zoom,
    public_url: str = "",
    drain_s: float = 0.0,
    webp_first_s: float = 0.0,
    follower: Follower | None = None,
    telemetry: Telemetry | None = None,
    foresight: Foresight | None = None,
    selling: Selling | None = None,
    workshop: Workshop | None = None,
    uploading: Uploading | None = None,
) -> FrontDoor:
    """Return the whole application; the arguments are those of its parts."""
    telemetry = telemetry or Telemetry()
    foresight = foresight or Foresight(planner=planner, service=service)
    api = make_api(
        planner=planner,
        service=service,
        public_url=public_url,
        drain_s=drain_s,
        follower=follower,
        telemetry=telemetry,
        foresight=foresight,
        selling=selling or build_selling(Settings()),
        workshop=workshop,
        uploading=uploading,
    )
    return FrontDoor(
        images=_image_route(planner, service, public_url, telemetry, foresight),
        alias=AliasRoute(
            planner=planner, service=service, public_url=public_url, webp_first_s=webp_first_s
        ),
        iiif=IiifRoute(planner=planner, service=service, public_url=public_url, zoom=zoom),
        beside=_upload_routes(uploading, service, public_url),
        previews=_preview_route(workshop, service),
        api=cast(App, api),  # Litestar's scopes are TypedDicts, to mypy no mutable mappings
        telemetry=telemetry,
    )


def _preview_route(workshop: Workshop | None, service: RenderService) -> PreviewRoute:
    return PreviewRoute(drafting=None if workshop is None else workshop.drafting, service=service)


def _upload_routes(
    uploading: Uploading | None, service: RenderService, public_url: str
) -> Iterator[Beside]:
    """Yield what uploads need beside the application: files come in, photographs go out."""
    if uploading is not None and uploading.receiving is not None:
        yield QUARANTINE_PATH, QuarantineRoute(uploading.receiving), QUARANTINE_PATH
    if uploading is not None and uploading.sets is not None:
        media = MediaRoute(
            sets=uploading.sets, service=service, profiles=PROFILES, public_url=public_url
        )
        yield MEDIA_PREFIX, media, MEDIA_FORM


def _image_route(
    planner: LivePlanner,
    service: RenderService,
    public_url: str,
    telemetry: Telemetry,
    foresight: Foresight,
) -> ImageRoute:
    return ImageRoute(
        planner=planner,
        service=service,
        public_url=public_url,
        access_log=telemetry.access_log,
        asked=foresight.after_picture,
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

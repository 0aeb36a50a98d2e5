"""The IIIF Image API 3.0, raw ASGI beside the image route: deep zoom into what `/r/` shows.

The identifier has the version, so a picture under it is immutable. What `info.json` announces is
for everybody, canonically spelled or sent there; anything else is for who has a signature, or for
all where the policy is open. A signed address is answered as it is: the signature is for no other.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from render_service.errors import (
    ReleaseUnreadable,
    SignatureNeeded,
    UnknownIdentifier,
)
from render_service.http.alias import CACHE_CONTROL
from render_service.http.asked import refuse_query
from render_service.http.caching import is_current
from render_service.http.cors import for_any_origin, preflight
from render_service.http.iiif_info import JSON, LD_JSON, LEVELS, describe_image, origin_of
from render_service.http.observed import IIIF_INFO_ROUTE, IIIF_ROUTE
from render_service.http.pictures import picture_headers, purge_tags, send_picture
from render_service.http.problems import describe_status
from render_service.http.replies import (
    Headers,
    Receive,
    Scope,
    Send,
    answer_or_problem,
    header_bytes,
    instance_of,
    read_header,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.http.signed import granted_cache_control, read_grant
from render_service.pixels.limits import Limits
from render_service.planning.iiif import (
    IIIF_PREFIX,
    INFO,
    Identifier,
    build_identifier,
    parse_identifier,
    parse_image_request,
)
from render_service.planning.iiif_part import (
    Canvas,
    IiifPolicy,
    Part,
    build_part_path,
    is_announced,
    resolve_part,
)
from render_service.planning.key import derive_key
from render_service.planning.negotiation import negotiate_type
from render_service.planning.planner import Planner, Shown, has_alpha
from render_service.planning.signatures import Signer
from render_service.planning.url import PATH_LENGTH_MAX
from render_service.releases.live import LivePlanner, is_drawn_here
from render_service.rendering.rendition import IMMUTABLE
from render_service.rendering.service import RenderService
from render_service.telemetry import spans
from render_service.telemetry.logs import masked_path

_log = logging.getLogger(__name__)

INFO_CACHE_CONTROL: Final = "public, max-age=3600, stale-while-revalidate=86400"
"""Not immutable as pictures are: what is offered to whom, and by which host, are settings."""

HOST_CACHE_CONTROL: Final = "private, max-age=3600"
"""Of a document with the host that was asked in it: a shared cache that does not part hosts would
give it to those who asked another."""

_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_PREFIX: Final = IIIF_PREFIX.split("/")[:-1]
_IMAGE_SEGMENTS: Final = 5
"""Identifier, region, size, rotation, quality with format."""


class Zoom(Struct, frozen=True, kw_only=True):
    """How deep zoom is offered.

    Attributes:
        policy: Who may ask for what is not announced.
        signer: Knows the signatures of what is not.
        pixels_max: Most pixels of one picture.
    """

    policy: IiifPolicy = IiifPolicy.FINITE
    signer: Signer = Signer(())
    pixels_max: int = Limits().max_output_pixels


class IiifRoute:
    """Serves `/iiif/3/…`.

    Args:
        planner: Plans what a path asks for, in the version that it names.
        service: Finds or makes what was planned.
        public_url: Before every URL handed out; "" takes the host that was asked.
        zoom: How it is offered.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        *,
        planner: LivePlanner,
        service: RenderService,
        public_url: str,
        zoom: Zoom,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._planner, self._service, self._public_url = planner, service, public_url
        self._policy, self._signer, self._pixels_max = zoom.policy, zoom.signer, zoom.pixels_max
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await answer_or_problem(self._answer, scope, receive, for_any_origin(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            return await send_whole(send, 204, header_bytes(preflight(_METHODS)), b"")
        if scope["method"] not in _METHODS:
            detail = "Images are read with GET or HEAD."
            facts = {"allow": ", ".join(_METHODS)}
            return await send_problem(send, describe_status(405, detail, instance_of(scope), facts))
        segments = _segments(scope)
        try:
            await self._send(scope, receive, send, segments)
        except ReleaseUnreadable as error:
            _log.warning("%s: %s", masked_path(scope["path"]), error)
            await self._send_on(send, segments)

    async def _send(self, scope: Scope, receive: Receive, send: Send, segments: list[str]) -> None:
        if len(segments) == _IMAGE_SEGMENTS:
            scope["path_template"] = IIIF_ROUTE
            return await self._send_image(scope, receive, send, segments)
        refuse_query(scope["query_string"])
        if len(segments) == 1:
            return await self._send_to_info(send, segments[0])
        if len(segments) == 2 and segments[1] == INFO:
            scope["path_template"] = IIIF_INFO_ROUTE
            return await self._send_info(scope, send, segments[0])
        raise UnknownIdentifier("/".join(segments))

    async def _send_to_info(self, send: Send, identifier: str) -> None:
        """The base URI leads to its document: section 2.1 of the API."""
        _, shown = await self._show(identifier)
        location = f"{self._public_url}{IIIF_PREFIX}{build_identifier(_canonical(shown))}/{INFO}"
        await _redirect(send, 303, location, INFO_CACHE_CONTROL, shown)

    async def _send_info(self, scope: Scope, send: Send, identifier: str) -> None:
        _, shown = await self._show(identifier)
        canonical = build_identifier(_canonical(shown))
        if identifier != canonical:
            location = f"{self._public_url}{IIIF_PREFIX}{canonical}/{INFO}"
            return await _redirect(send, 308, location, IMMUTABLE, shown)
        body = describe_image(
            self._canvas(shown),
            base=f"{self._public_url or origin_of(scope)}{IIIF_PREFIX}{canonical}",
            policy=self._policy,
            alpha=has_alpha(shown.configuration),
        )
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        pairs = [
            ("etag", etag),
            ("cache-control", INFO_CACHE_CONTROL if self._public_url else HOST_CACHE_CONTROL),
            ("vary", "Accept"),
            ("link", self._links(f"{IIIF_PREFIX}{canonical}/{INFO}")),
            *purge_tags(shown.composition.id, shown.view.id),
            ("x-content-type-options", "nosniff"),
        ]
        if_none_match = read_header(scope, b"if-none-match")
        if if_none_match is not None and is_current(if_none_match, etag):
            return await send_whole(send, 304, header_bytes(pairs), b"")
        media_type = negotiate_type(read_header(scope, b"accept"), (LD_JSON, JSON))
        pairs += [("content-type", media_type), ("content-length", str(len(body)))]
        await send_whole(send, 200, header_bytes(pairs), body)

    async def _send_image(
        self, scope: Scope, receive: Receive, send: Send, segments: list[str]
    ) -> None:
        path = IIIF_PREFIX + "/".join(segments)
        now_s = int(self._now())
        grant = read_grant(self._signer, path, scope["query_string"], now_s)
        asked = parse_image_request(segments[1:])
        planner, shown = await self._show(segments[0])
        canvas = self._canvas(shown)
        part = resolve_part(asked, canvas)
        if grant is None and self._policy is IiifPolicy.FINITE and not is_announced(part, canvas):
            raise SignatureNeeded
        base = f"{IIIF_PREFIX}{build_identifier(_canonical(shown))}/"
        canonical = base + build_part_path(part, canvas)
        if grant is None and path not in (canonical, base + _spelled(part, canvas)):
            return await _redirect(send, 308, self._public_url + canonical, IMMUTABLE, shown)
        plan = planner.plan_part(shown, part.request)
        if is_drawn_here(plan):
            served = await unless_gone(receive, self._service.render(plan))
        elif (found := await self._service.find(derive_key(plan))) is not None:
            served = found
        else:
            return await self._send_on(send, segments)
        tags = purge_tags(shown.composition.id, shown.view.id)
        headers: Headers = [
            *picture_headers(served, tags, granted_cache_control(grant, now_s)),
            (b"link", self._links(canonical).encode("latin-1")),
        ]
        await send_picture(scope, send, served.rendition, headers)

    async def _send_on(self, send: Send, segments: list[str]) -> None:
        """To the same in the current version: the old one is not drawn here any more."""
        asked = parse_identifier(segments[0])
        planner = self._planner.current
        view = planner.catalogue.composition(asked.composition).view(asked.view, None)
        version = planner.version(planner.catalogue.composition(asked.composition), view)
        shown = planner.show(asked.composition, asked.view, version, dict(asked.selection))
        path = "/".join([build_identifier(_canonical(shown)), *segments[1:]])
        location = f"{self._public_url}{IIIF_PREFIX}{path}"
        await _redirect(send, 302, location, CACHE_CONTROL, shown)

    async def _show(self, given: str) -> tuple[Planner, Shown]:
        """What an identifier names, and who plans it: the release that published its version."""
        with spans.stage("plan"):
            asked = parse_identifier(given)
            names = asked.composition, asked.view, asked.version
            planner = await self._planner.planner_of(*names)
            return planner, planner.show(*names, dict(asked.selection))

    def _canvas(self, shown: Shown) -> Canvas:
        view = shown.view
        return Canvas(width_px=view.width_px, height_px=view.height_px, pixels_max=self._pixels_max)

    def _links(self, canonical: str) -> str:
        profile = f"http://iiif.io/api/image/3/{LEVELS[self._policy]}.json"
        return f'<{self._public_url}{canonical}>;rel="canonical", <{profile}>;rel="profile"'


def _canonical(shown: Shown) -> Identifier:
    return Identifier(
        composition=shown.composition.id,
        view=shown.view.id,
        version=shown.version,
        selection=tuple(shown.configuration.items()),
    )


def _spelled(part: Part, canvas: Canvas) -> str:
    """As viewers spell a tile or a size: with its size, also where that is the largest there is."""
    return build_part_path(part, canvas, spell_size=True)


def _segments(scope: Scope) -> list[str]:
    """The segments of the path behind the prefix, each percent-decoded once.

    Raises:
        UnknownIdentifier: It is too long, or holds what no address of ours does.
    """
    raw_path: bytes = scope["raw_path"]
    # Before decoding, so that an encoded slash parts nothing.
    said = [unquote_to_bytes(part).decode("latin-1") for part in raw_path.split(b"/")]
    prefix, segments = said[: len(_PREFIX)], said[len(_PREFIX) :]
    too_long = len(raw_path) > 3 * PATH_LENGTH_MAX
    if prefix != _PREFIX or too_long or any("/" in part for part in segments):
        raise UnknownIdentifier("/".join(said))
    return segments


async def _redirect(
    send: Send, status: int, location: str, cache_control: str, shown: Shown
) -> None:
    pairs = [
        ("location", location),
        ("cache-control", cache_control),
        ("content-length", "0"),
        *purge_tags(shown.composition.id, shown.view.id),
    ]
    await send_whole(send, status, header_bytes(pairs), b"")

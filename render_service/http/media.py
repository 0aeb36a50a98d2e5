"""`/media/…`: pictures of photographs, raw ASGI beside the image route.

The rule of `/r/` holds here: what is sent depends on the path alone, and is immutable. An address
of another version (an older program handed it out) leads to the same picture in the current one.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from render_service.assets.sets import PhotoSets
from render_service.formats import Format
from render_service.http.alias import CACHE_CONTROL
from render_service.http.asked import refuse_query
from render_service.http.pictures import picture_headers, send_picture
from render_service.http.problems import describe_status
from render_service.http.replies import (
    Receive,
    Scope,
    Send,
    answer_or_problem,
    header_bytes,
    instance_of,
    send_problem,
    send_whole,
    unless_gone,
)
from render_service.planning.key import RenderKey, derive_key
from render_service.planning.media import (
    MediaPath,
    build_media_path,
    media_version,
    parse_media_path,
    plan_photo,
)
from render_service.planning.plan import EncodeProfile, RenderPlan
from render_service.rendering.service import RenderService
from render_service.telemetry import instruments, spans

PLANS_KEPT: Final = 1024
"""Plans remembered by their paths, as the image route does."""

_METHODS: Final = ("GET", "HEAD")


class MediaRoute:
    """Serves pictures of photographs.

    Args:
        sets: Finds what an address names.
        service: Finds or makes pictures.
        profiles: How each format is encoded.
        public_url: Before every URL handed out.
    """

    def __init__(
        self,
        *,
        sets: PhotoSets,
        service: RenderService,
        profiles: Mapping[Format, EncodeProfile],
        public_url: str,
    ) -> None:
        self._sets, self._service, self._public_url = sets, service, public_url
        self._profiles, self._version = profiles, media_version(profiles)
        self._planned: dict[str, tuple[RenderPlan, RenderKey]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await answer_or_problem(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _METHODS:
            detail, allow = "Pictures are read with GET or HEAD.", {"allow": ", ".join(_METHODS)}
            return await send_problem(send, describe_status(405, detail, instance_of(scope), allow))
        refuse_query(scope["query_string"])
        path = parse_media_path(scope["path"])
        plan, key = await self._plan(scope["path"], path)
        if path.version != self._version:
            return await self._send_on(send, path)
        with spans.stage("memory"):
            served = self._service.held(key)
        if served is not None:
            instruments.lookups.add(1, "memory", "hit")
        else:
            served = await unless_gone(receive, self._service.render(plan))
        headers = picture_headers(served, _tags(path))
        canonical = build_media_path(path)
        if scope["raw_path"] != canonical.encode():
            link = f'<{self._public_url}{canonical}>; rel="canonical"'
            headers.append((b"link", link.encode("latin-1")))
        await send_picture(scope, send, served.rendition, headers)

    async def _plan(self, spelled: str, path: MediaPath) -> tuple[RenderPlan, RenderKey]:
        if (known := self._planned.get(spelled)) is not None:
            return known
        with spans.stage("plan"):
            photos = await self._sets.find(path.set)
            plan = plan_photo(photos, path.width_px, path.format, self._profiles[path.format])
            found = plan, derive_key(plan)
        if len(self._planned) >= PLANS_KEPT:
            del self._planned[next(iter(self._planned))]
        self._planned[spelled] = found
        return found

    async def _send_on(self, send: Send, path: MediaPath) -> None:
        """To the same picture as it is drawn now."""
        current = build_media_path(replace(path, version=self._version))
        headers = [
            ("location", self._public_url + current),
            ("cache-control", CACHE_CONTROL),
            ("content-length", "0"),
            *_tags(path),
        ]
        await send_whole(send, 302, header_bytes(headers), b"")


def _tags(path: MediaPath) -> list[tuple[str, str]]:
    """What a CDN may purge by: `media:` and the first 16 digits of the set."""
    tag = f"media:{path.set[:16]}"
    return [("surrogate-key", tag), ("cache-tag", tag)]

"""The living alias `/img/…`: any spelling of a picture → 302 to its immutable URL.

The only place that negotiates a format, and the only one whose answer may change: it is cached
for a minute. Nothing is drawn here.

While the service is busy, a WebP may be answered with where the AVIF would have to wait; the answer
says so, and is kept for seconds only.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from msgspec.structs import replace

from render_service.errors import MalformedPath
from render_service.formats import FACTS, Format
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
from render_service.planning.negotiation import is_as_welcome
from render_service.planning.planner import PlannedImage
from render_service.planning.url import AliasPath, build_image_path, parse_alias_path
from render_service.releases.live import LivePlanner
from render_service.rendering.service import RenderService
from render_service.rendering.substitution import Substitution

CACHE_CONTROL: Final = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"

INSTEAD_CACHE_CONTROL: Final = "public, max-age=10, stale-if-error=86400"
"""Of an answer with a WebP in place of an AVIF: asked again after as long as a request may take."""

INSTEAD_OF: Final = "render-instead-of"
"""Names the media type of the better picture that is being made; its address is in the Link."""

_METHODS: Final = ("GET", "HEAD")


class AliasRoute:
    """Serves `/img/…`.

    Args:
        planner: Plans what a path asks for.
        service: Would make it.
        public_url: Before every URL handed out; "" leaves them relative to the host.
        webp_first_s: A WebP is answered with where an AVIF would take longer; 0: never.
    """

    def __init__(
        self,
        *,
        planner: LivePlanner,
        service: RenderService,
        public_url: str = "",
        webp_first_s: float = 0.0,
    ) -> None:
        self._planner, self._public_url = planner, public_url
        self._substitution = Substitution(service, after_s=webp_first_s)

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
        selection = _selection(scope)
        if alias.format is not None:
            planned = self._planner.plan_alias(alias, selection, None)
            return await self._lead(send, planned, [("cache-control", CACHE_CONTROL)])
        accept = read_header(scope, b"accept")
        planned = self._planner.plan_alias(alias, selection, accept)
        instead = await self._instead(alias, selection, accept, planned)
        pairs = [("vary", "Accept")]
        if instead is None:
            return await self._lead(send, planned, [*pairs, ("cache-control", CACHE_CONTROL)])
        media_type = FACTS[planned.image.format].media_type
        better = f'<{self._address(planned)}>; rel="alternate"; type="{media_type}"'
        pairs += [
            ("cache-control", INSTEAD_CACHE_CONTROL),
            (INSTEAD_OF, media_type),
            ("link", better),
        ]
        await self._lead(send, instead, pairs)

    async def _instead(
        self,
        alias: AliasPath,
        selection: Mapping[str, str],
        accept: str | None,
        planned: PlannedImage,
    ) -> PlannedImage | None:
        """Return the WebP to answer with in place of `planned`, or None."""
        if planned.image.format is not Format.AVIF or not self._substitution.is_likely:
            return None
        if not is_as_welcome(accept, Format.WEBP, as_=Format.AVIF):
            return None
        webp = self._planner.plan_alias(replace(alias, format=Format.WEBP), selection, None)
        return webp if await self._substitution.is_better(webp, than=planned) else None

    async def _lead(self, send: Send, planned: PlannedImage, pairs: list[tuple[str, str]]) -> None:
        """Lead to the immutable URL of `planned`."""
        location = self._address(planned)
        own = [
            ("location", location),
            ("link", f'<{location}>; rel="canonical"'),
            ("content-length", "0"),
        ]
        await send_whole(send, 302, header_bytes([*own, *pairs]), b"")

    def _address(self, planned: PlannedImage) -> str:
        return self._public_url + build_image_path(planned.image)


def _selection(scope: Scope) -> dict[str, str]:
    """The query as options; one given twice is refused, whichever would have won."""
    selection: dict[str, str] = {}
    query = scope["query_string"].decode("latin-1")
    for option, value in parse_qsl(query, keep_blank_values=True):
        if option in selection:
            raise MalformedPath("query", option, "each option once")
        selection[option] = value
    return selection

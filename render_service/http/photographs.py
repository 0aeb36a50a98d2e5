"""Photographs of products as the JSON API shows them.

The rule: every address is built by the path builder of the route that serves it; a photograph that
is not ready yet is shown with its words, and without pictures.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from render_service.assets.model import Focus
from render_service.assets.photos import Photo
from render_service.formats import FACTS, Format
from render_service.http.manifests import SRC_WIDTH_PX
from render_service.http.schemas import SourceOut
from render_service.planning.media import MediaPath, build_media_path, media_version
from render_service.planning.plan import EncodeProfile
from render_service.products.model import Media, Role


class MediaOut(Struct, frozen=True, kw_only=True):
    """A photograph of a product, as `img` in `picture` takes it.

    Attributes:
        id: SHA-256 of what was uploaded.
        role: What it is for.
        alt: Language → what it shows, for those who do not see it.
        src: For clients that choose none; null, as all that follows, until it is made ready.
        srcset: Every width, in the format of `src`: JPEG, or PNG where it is transparent.
        sources: The same in smaller formats, the smallest first.
        width: Of the photograph, in pixels; the widest picture may be narrower.
        height: Likewise.
        alpha: Whether it is transparent anywhere.
        placeholder: ThumbHash, base64.
        colour: Its dominant colour, as `#rrggbb`.
        focus: The point that matters most, for `object-position`.
    """

    id: str
    role: Role
    alt: dict[str, str]
    src: str | None = None
    srcset: str | None = None
    sources: list[SourceOut] = []
    width: int | None = None
    height: int | None = None
    alpha: bool | None = None
    placeholder: str | None = None
    colour: str | None = None
    focus: Focus | None = None


class PhotoFinder(Protocol):
    """Finds what was made of photographs."""

    async def find_photos(self, ids: Sequence[str]) -> Mapping[str, Photo]:
        """Return photographs by id; those that are not ready are left out."""
        ...


class Photographs:
    """Shows photographs.

    Args:
        finder: Finds them; None where there is no database.
        profiles: How each format is encoded.
        public_url: Before every URL handed out.
    """

    def __init__(
        self,
        finder: PhotoFinder | None,
        *,
        profiles: Mapping[Format, EncodeProfile],
        public_url: str,
    ) -> None:
        self._finder, self._public_url = finder, public_url
        self._version = media_version(profiles)

    async def show(self, media: Sequence[Media]) -> list[MediaOut]:
        """Return the photographs of a product, in their order.

        Raises:
            DatabaseUnavailable: They cannot be read.
        """
        found: Mapping[str, Photo] = {}
        if media and self._finder is not None:
            found = await self._finder.find_photos([one.id for one in media])
        return [self._one(one, found.get(one.id)) for one in media]

    def _one(self, media: Media, photo: Photo | None) -> MediaOut:
        words = MediaOut(id=media.id, role=media.role, alt=dict(media.alt))
        if photo is None:
            return words
        photos = photo.photos
        *small, plain = photos.formats
        src_px = max((w for w in photos.widths if w <= SRC_WIDTH_PX), default=photos.widths[0])
        return replace(
            words,
            src=self._url(photo, src_px, plain),
            srcset=self._srcset(photo, plain),
            sources=[
                SourceOut(type=FACTS[one].media_type, srcset=self._srcset(photo, one))
                for one in small
            ],
            width=photos.width_px,
            height=photos.height_px,
            alpha=photos.alpha,
            placeholder=photo.placeholder,
            colour=photo.colour,
            focus=photo.focus,
        )

    def _srcset(self, photo: Photo, file_format: Format) -> str:
        return ", ".join(
            f"{self._url(photo, width, file_format)} {width}w" for width in photo.photos.widths
        )

    def _url(self, photo: Photo, width_px: int, file_format: Format) -> str:
        path = MediaPath(
            set=photo.set_id, version=self._version, width_px=width_px, format=file_format
        )
        return self._public_url + build_media_path(path)

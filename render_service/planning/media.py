"""Photographs as pictures: what a set of them is drawn from, their addresses, their plans.

The rule: a set is a document under its digest that names the master it is drawn from, so an address
that holds the digest says everything a plan needs, and no table is asked for a picture. The plan
is one of a single layer: it takes the route of every picture, under the same keys.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from render_service.errors import (
    AlphaNotOffered,
    FormatNotOffered,
    MalformedPath,
    WidthNotOffered,
)
from render_service.formats import FACTS, Format
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import (
    ONE,
    Blend,
    EncodeProfile,
    Encoding,
    Output,
    Placement,
    RenderPlan,
    Tone,
)
from render_service.planning.request import LADDER_PX, height_for, offered_widths
from render_service.planning.version import VERSION_DIGITS

MEDIA_PREFIX: Final = "/media/"
MEDIA_FORM: Final = "/media/{set}/{version}/{width}.{ext}"

SET_BYTES_MAX: Final = 1024
"""Of a set's document: it takes some 250."""

AS_IT_IS: Final = Tone(exposure=ONE, knee=0, white=ONE)
"""A photograph was exposed and toned when it was made: light stays as it is."""

_PATH: Final = re.compile(
    r"/media/([0-9a-f]{64})/([0-9a-f]{10})/([1-9][0-9]{0,4})\.([a-z]{1,8})", re.ASCII
)
_encoder = msgspec.json.Encoder(order="deterministic")

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class PhotoSet(Struct, frozen=True, kw_only=True, tag="photo-set-1", forbid_unknown_fields=True):
    """What the pictures of one photograph are drawn from.

    Attributes:
        photo: SHA-256 of the photograph as it was uploaded.
        master: SHA-256 of it made ready: a PNG, upright, sRGB, 8 bits.
        width_px: Of the master.
        height_px: Likewise.
        alpha: Whether it is transparent anywhere.
    """

    photo: Digest
    master: Digest
    width_px: Annotated[int, Meta(ge=1, le=65_500)]
    height_px: Annotated[int, Meta(ge=1, le=65_500)]
    alpha: bool

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths on offer."""
        return offered_widths(self.width_px)

    @property
    def formats(self) -> tuple[Format, ...]:
        """Formats of its pictures, the smallest first; the last one is for every client."""
        plain = Format.PNG if self.alpha else Format.JPEG
        return (Format.AVIF, Format.WEBP, plain)


class MediaPath(Struct, frozen=True, kw_only=True):
    """A picture of a photograph, as its path names it.

    Attributes:
        set: Digest of the set's document.
        version: What this program draws it by.
        width_px: Width of the picture.
        format: Format of the picture.
    """

    set: str
    version: str
    width_px: int
    format: Format


def encode_set(photos: PhotoSet) -> tuple[str, bytes]:
    """Return the digest of a set's document, and the document."""
    data = _encoder.encode(photos)
    return hashlib.sha256(data).hexdigest(), data


def decode_set(data: bytes) -> PhotoSet | None:
    """Return the set in a document; None where it is none: some other file has that digest."""
    try:
        return msgspec.json.decode(data, type=PhotoSet)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def parse_media_path(path: str) -> MediaPath:
    """Return what the percent-decoded `path` asks for; each picture has one spelling.

    Raises:
        MalformedPath: It is not of the form.
        FormatNotOffered: Its extension is no format of ours.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise MalformedPath("form", path, f"{MEDIA_FORM}, as GET /v1/products/{{id}} hands it out")
    try:
        file_format = Format(found[4])
    except ValueError:
        raise FormatNotOffered(found[4], list(Format)) from None
    return MediaPath(set=found[1], version=found[2], width_px=int(found[3]), format=file_format)


def build_media_path(path: MediaPath) -> str:
    """Return the path of a picture."""
    return f"{MEDIA_PREFIX}{path.set}/{path.version}/{path.width_px}.{path.format}"


def media_version(profiles: Mapping[Format, EncodeProfile]) -> str:
    """Return what this program draws photographs by, ten hex digits: another one, other addresses.

    Args:
        profiles: How each format is encoded.
    """
    drawn_by = {
        "pipeline": PIPELINE_REVISION,
        "profiles": {str(name): profile for name, profile in profiles.items()},
        "tone": AS_IT_IS,
        "ladder": LADDER_PX,
    }
    return hashlib.sha256(_encoder.encode(drawn_by)).hexdigest()[:VERSION_DIGITS]


def plan_photo(
    photos: PhotoSet, width_px: int, file_format: Format, profile: EncodeProfile
) -> RenderPlan:
    """Return the plan of one picture of a photograph.

    Raises:
        WidthNotOffered: It is not on the ladder, or wider than the photograph.
        AlphaNotOffered: The photograph is transparent and the format cannot be.
    """
    if width_px not in photos.widths:
        raise WidthNotOffered(str(width_px), photos.widths)
    if photos.alpha and not FACTS[file_format].alpha:
        raise AlphaNotOffered(file_format, [one for one in Format if FACTS[one].alpha])
    whole = Placement(
        asset=photos.master,
        left_px=0,
        top_px=0,
        width_px=photos.width_px,
        height_px=photos.height_px,
        pages=1,
        bands=3,
        encoding=Encoding.SRGB,
        blend=Blend.OVER,
        paint=None,
        ramp=None,
    )
    return RenderPlan(
        pipeline=PIPELINE_REVISION,
        canvas_width_px=photos.width_px,
        canvas_height_px=photos.height_px,
        placements=(whole,),
        tone=AS_IT_IS,
        alpha=photos.alpha,
        output=Output(
            format=file_format,
            width_px=width_px,
            height_px=height_for(width_px, photos.width_px, photos.height_px),
            profile=profile,
        ),
    )

"""`info.json` of the IIIF Image API 3.0: what there is of an image, and who may ask for it.

What is announced here is exactly what `planning/iiif_part.py` lets everybody ask for; the words of
the API are its own, so the names of the fields are not ours.
"""

import re
from typing import Final

import msgspec
from msgspec import Struct

from render_service.errors import MalformedPath
from render_service.formats import Format
from render_service.http.replies import Scope, read_header
from render_service.planning.iiif import Quality
from render_service.planning.iiif_part import Canvas, IiifPolicy

CONTEXT: Final = "http://iiif.io/api/image/3/context.json"
LD_JSON: Final = f'application/ld+json;profile="{CONTEXT}"'
JSON: Final = "application/json"

_HOST: Final = re.compile(r"[A-Za-z0-9.\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?", re.ASCII)

# A name is given to the level that is kept whole, and what is offered on top of it is listed.
LEVELS: Final = {IiifPolicy.FINITE: "level0", IiifPolicy.OPEN: "level2"}
_FORMATS: Final = {
    IiifPolicy.FINITE: [Format.PNG, Format.WEBP, Format.AVIF],
    IiifPolicy.OPEN: [Format.WEBP, Format.AVIF],
}
_FEATURES: Final = {
    IiifPolicy.FINITE: [
        "baseUriRedirect",
        "canonicalLinkHeader",
        "cors",
        "jsonldMediaType",
        "profileLinkHeader",
    ],
    IiifPolicy.OPEN: ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "sizeUpscaling"],
}
_QUALITIES: Final = {
    IiifPolicy.FINITE: None,
    IiifPolicy.OPEN: [Quality.COLOR, Quality.GRAY, Quality.BITONAL],
}


class SizeOut(Struct, frozen=True, kw_only=True):
    """A size of the whole image."""

    width: int
    height: int


class TilesOut(Struct, frozen=True, kw_only=True, rename="camel"):
    """Square tiles, and the factors by which the image is scaled down for them."""

    width: int
    height: int
    scale_factors: list[int]


class InfoOut(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The document; the fields are those of IIIF Image API 3.0, sections 5.2 to 5.7."""

    context: str = msgspec.field(name="@context")
    id: str
    type: str
    protocol: str
    profile: str
    width: int
    height: int
    max_width: int
    max_height: int
    max_area: int
    sizes: list[SizeOut]
    tiles: list[TilesOut]
    preferred_formats: list[Format]
    extra_formats: list[Format]
    extra_features: list[str]
    extra_qualities: list[Quality] | None = None


def describe_image(canvas: Canvas, *, base: str, policy: IiifPolicy, alpha: bool) -> bytes:
    """Return the document of one image.

    Args:
        canvas: Its size, and what may be made of it.
        base: Its base URI, absolute.
        policy: Who may ask for what.
        alpha: Whether it keeps its transparency, which JPEG cannot hold.
    """
    # WebP before AVIF: a viewer asks for many tiles at once, and AVIF takes longer to make.
    preferred = [Format.WEBP, Format.PNG if alpha else Format.JPEG]
    return msgspec.json.encode(
        InfoOut(
            context=CONTEXT,
            id=base,
            type="ImageService3",
            protocol="http://iiif.io/api/image",
            profile=LEVELS[policy],
            width=canvas.width_px,
            height=canvas.height_px,
            max_width=canvas.side_max_px,
            max_height=canvas.side_max_px,
            max_area=canvas.area_max_px,
            sizes=[SizeOut(width=width, height=height) for width, height in canvas.sizes],
            tiles=[
                TilesOut(
                    width=canvas.tile_px,
                    height=canvas.tile_px,
                    scale_factors=list(canvas.scale_factors),
                )
            ],
            preferred_formats=preferred,
            extra_formats=_FORMATS[policy],
            extra_features=_FEATURES[policy],
            extra_qualities=_QUALITIES[policy],
        )
    )


def origin_of(scope: Scope) -> str:
    """Return scheme and host that the client asked, for a document that must be absolute.

    Raises:
        MalformedPath: The host is none.
    """
    host = read_header(scope, b"host") or ""
    if _HOST.fullmatch(host) is None:
        raise MalformedPath("host", host, "a name or an address, with or without a port")
    return f"{scope['scheme']}://{host}"

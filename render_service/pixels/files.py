"""Picture files → images whose pixels are not decoded yet: the only place that opens them.

The rule: the loader is chosen by the file's first bytes from five formats, never by guessing.
"""

from collections.abc import Callable

from msgspec import Struct

from render_service.errors import AssetTooLarge, AssetUndecodable
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.vips import pyvips


class _File(Struct, frozen=True, kw_only=True):
    """A kind of layer file: its name, how it begins, and what opens it."""

    name: str
    begins: Callable[[bytes], bool]
    load: Callable[[bytes], pyvips.Image]


def undecodable(name: str, found: str, needed: str) -> AssetUndecodable:
    """Return the error of the file `name` in which something was found, and not what is needed."""
    return AssetUndecodable(name, f"{found}; needed: {needed}")


def _is_avif(data: bytes) -> bool:
    """Whether an ISO base media file names `avif` among its brands (AVIF 1.1, section 6)."""
    box = data[: min(int.from_bytes(data[:4], "big"), 128)]
    return box[4:8] == b"ftyp" and b"avif" in {box[i : i + 4] for i in range(8, len(box), 4)}


def _load_tiff(data: bytes) -> pyvips.Image:
    """Open a TIFF with its pages stacked."""
    return pyvips.Image.tiffload_buffer(data, n=-1, fail_on="error")


# `error` and not `warning`: it refuses bad checksums and short data, and passes unknown TIFF tags.
_FILES = (
    _File(
        name="AVIF",
        begins=_is_avif,
        load=lambda data: pyvips.Image.heifload_buffer(data, fail_on="error"),
    ),
    _File(
        name="PNG",
        begins=lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
        load=lambda data: pyvips.Image.pngload_buffer(data, fail_on="error"),
    ),
    _File(
        name="TIFF",
        begins=lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
        load=_load_tiff,
    ),
    _File(
        name="WebP",
        begins=lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
        load=lambda data: pyvips.Image.webpload_buffer(data, fail_on="error"),
    ),
    _File(
        name="JPEG",
        begins=lambda data: data.startswith(b"\xff\xd8\xff"),
        load=lambda data: pyvips.Image.jpegload_buffer(data, fail_on="error"),
    ),
)


def open_file(data: bytes, limits: DecodeLimits, name: str) -> pyvips.Image:
    """Return the file as an image whose pixels are not decoded yet; pages of a TIFF are stacked.

    Raises:
        AssetTooLarge: It is a TIFF of too many pages.
        AssetUndecodable: It is none of the formats.
        pyvips.Error: It is damaged.
    """
    for file in _FILES:
        if file.begins(data):
            if file.name == "TIFF":
                _check_page_count(data, limits, name)
            return file.load(data)
    kinds = ", ".join(file.name for file in _FILES)
    found = f"begins with {data[:12]!r}" if data else "is empty"
    raise undecodable(name, found, f"one of {kinds}")


def _check_page_count(data: bytes, limits: DecodeLimits, name: str) -> None:
    """Refuse a TIFF of too many pages by its first one: opening all reads every directory."""
    first = pyvips.Image.tiffload_buffer(data, fail_on="error")
    check_pixels(first.width * first.height * int(str(first.get("n-pages"))), limits, name)


def check_pixels(pixels: int, limits: DecodeLimits, name: str) -> None:
    """Refuse more pixels than a file may have: AssetTooLarge."""
    if pixels > limits.max_pixels:
        raise AssetTooLarge(name, f"has {pixels} pixels; the most is {limits.max_pixels}")

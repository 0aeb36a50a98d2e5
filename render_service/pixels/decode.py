"""Asset bytes → Raster: how the numbers of a layer file stand for light.

The rule: everything a header can tell is checked against the placement before a pixel is decoded.

How a file's alpha is read: `srgb` has straight alpha and `root` associated alpha, both with full
scale as 1.0; in `linear` alpha is on the scale of its light, 16384 as 1.0. A file without alpha is
opaque. In `root` files, which may be coded with loss, faint traces count as nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from render_service.errors import AssetTooLarge
from render_service.pixels.files import check_pixels, open_file, undecodable
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.raster import Pixels, Raster, trim
from render_service.pixels.tone import srgb_to_linear
from render_service.pixels.vips import pyvips, translating
from render_service.planning.plan import ONE, Encoding, Placement

_COLOUR_MODELS = {"srgb", "rgb16", "b-w", "grey16"}


# Rendered layers may be coded with loss, which leaves traces where nothing is and holes where all
# is covered; without these a layer could not be trimmed. 4/16384 of light is under one display
# level of 255 on black. Coverage: libaom leaves up to 16 of 4095 (64/16384) on blank parts of a
# 12-bit layer at Q 88, most of it in the first block; 128/16384 are two levels of alpha.
_FAINT_LIGHT: Final = 4.5
_FAINT_COVERAGE: Final = 128


def decode(data: bytes, placement: Placement, limits: DecodeLimits, name: str) -> Raster:
    """Return the layer at full resolution, trimmed, on the grid of its own file.

    Args:
        data: The layer file: AVIF, PNG, TIFF, WebP or JPEG. Pages of a TIFF follow each other;
            those of the others are stacked into one tall picture.
        placement: What the plan says the file is: size of a page, pages, bands, encoding.
        limits: Bounds on the file, held against its length and header.
        name: How errors call the file: its digest, or its path where one is known.

    Raises:
        AssetTooLarge: The file is over a limit; no pixel was decoded.
        AssetUndecodable: It is not a picture, is damaged, or is not what the placement says.
    """
    if len(data) > limits.max_bytes:
        raise AssetTooLarge(name, f"has {len(data)} bytes; the most is {limits.max_bytes}")
    with translating(lambda said: undecodable(name, f"is damaged ({said})", "a whole file")):
        image = open_file(data, limits, name)
        _check_upright(image, name)
        _check_header(image, placement, limits, name)
        light, alpha = _read(image, placement)
    return trim(light, alpha, 0, 0)


def _check_header(
    image: pyvips.Image, placement: Placement, limits: DecodeLimits, name: str
) -> None:
    """Hold what the header says against the placement."""
    check_pixels(image.width * image.height, limits, name)
    wide, high = placement.width_px, placement.height_px * placement.pages
    if (image.width, image.height) != (wide, high):
        raise undecodable(
            name,
            f"is {image.width} by {image.height} px in all",
            f"{wide} by {high} ({placement.pages} page(s) of {placement.height_px} rows)",
        )
    if image.format not in {"uchar", "ushort"}:
        raise undecodable(name, f"has samples of type {image.format}", "8 or 16 bits, unsigned")
    if placement.encoding is Encoding.LINEAR and _full_scale(image) != 65535:
        raise undecodable(name, f"has full scale {_full_scale(image)}", "16 bits for `linear`")
    if placement.encoding is Encoding.SRGB and image.interpretation not in _COLOUR_MODELS:
        raise undecodable(name, f"is in {image.interpretation}", "RGB or grey")
    if image.bands not in _bands_taken(placement):
        taken = " or ".join(map(str, sorted(_bands_taken(placement))))
        raise undecodable(name, f"has {image.bands} bands", f"{taken}, the last one alpha")


def _check_upright(image: pyvips.Image, name: str) -> None:
    """Refuse a picture that viewers turn as they show it: it would not be drawn as it was seen."""
    turned = int(str(image.get("orientation"))) if image.get_typeof("orientation") else 1
    if turned != 1:
        raise undecodable(name, f"is to be turned (orientation {turned})", "one saved upright")


def _bands_taken(placement: Placement) -> set[int]:
    """How many bands a page may have; a grey picture stands for an RGB one that is not painted."""
    taken = {placement.bands, placement.bands + 1}
    return taken | {1, 2} if _takes_grey(placement) else taken


def _takes_grey(placement: Placement) -> bool:
    plain = placement.paint is None and placement.bands == 3
    return plain and placement.encoding is Encoding.SRGB


def _full_scale(image: pyvips.Image) -> int:
    """The largest sample of the file.

    libvips shifts the 10 and 12 bits of an AVIF to the top of 16, so white is 65472 or 65520.
    """
    if image.format == "uchar":
        return 255
    is_avif = image.get_typeof("heif-compression") != 0
    bits = int(str(image.get("bits-per-sample"))) if is_avif else 16
    return ((1 << bits) - 1) << (16 - bits)


def _read(image: pyvips.Image, placement: Placement) -> tuple[Pixels, Pixels]:
    """Decode the pixels: light [height, width, pages × bands] and alpha [height, width]."""
    full_scale, encoding = _full_scale(image), placement.encoding
    colours = 1 if _takes_grey(placement) and image.bands < 3 else placement.bands
    has_alpha = image.bands > colours
    # Decoded once: the pages are cut from memory, not from a file read again for each.
    image = image.copy_memory()
    colour = image.extract_band(0, n=colours)
    if encoding is Encoding.SRGB and image.get_typeof("icc-profile-data"):
        colour, scale = _through_profile(colour, full_scale), 65535
    else:
        scale = full_scale
    light = _in_pages(colour.maplut(_table(encoding, scale)), placement)
    alpha = None
    if has_alpha:
        first = image.extract_band(colours).crop(0, 0, placement.width_px, placement.height_px)
        alpha = _array(first.maplut(_alpha_table(encoding, full_scale)))[..., 0]
    return _associated(light, alpha, encoding)


def _through_profile(light: pyvips.Image, full_scale: int) -> pyvips.Image:
    """Return a picture with an embedded profile as 16-bit sRGB."""
    if light.format == "ushort" and full_scale != 65535:
        light = (light * (65535 / full_scale)).rint().cast("ushort")
    # Grey with a grey profile comes back as three bands. Relative: white stays white.
    return light.icc_transform("srgb", embedded=True, intent="relative", depth=16)


def _in_pages(light: pyvips.Image, placement: Placement) -> Pixels:
    """Return the stacked pages beside each other as bands."""
    wide, high = placement.width_px, placement.height_px
    if light.bands < placement.bands:
        light = _beside([light] * placement.bands)
    pages = [light.crop(0, page * high, wide, high) for page in range(placement.pages)]
    return _array(_beside(pages))


def _beside(images: Sequence[pyvips.Image]) -> pyvips.Image:
    """Return the bands of all images, in order, as one image."""
    others: list[pyvips.Image | int | float] = [*images[1:]]
    return images[0].bandjoin(others)


def _associated(light: Pixels, alpha: Pixels | None, encoding: Encoding) -> tuple[Pixels, Pixels]:
    """Multiply straight alpha in, in linear light; rounds half up."""
    if alpha is None:
        return light, np.full(light.shape[:2], ONE, np.uint16)
    if encoding is Encoding.SRGB:
        weighted = light.astype(np.uint32)
        weighted *= alpha[..., np.newaxis]
        weighted += ONE // 2
        weighted //= ONE
        light = weighted.astype(np.uint16)
    return light, alpha


def _array(image: pyvips.Image) -> Pixels:
    """Decode: the pixels as [height, width, bands]."""
    memory = np.frombuffer(image.write_to_memory(), np.uint16)
    return memory.reshape(image.height, image.width, image.bands)


@lru_cache(maxsize=16)
def _table(encoding: Encoding, full_scale: int) -> pyvips.Image:
    """Sample → linear light in 1/16384, for every sample of the file's depth."""
    samples = np.arange(256 if full_scale == 255 else 65536, dtype=np.float64)
    share = np.minimum(samples / full_scale, 1.0)
    light = {
        Encoding.SRGB: ONE * srgb_to_linear(share),
        Encoding.LINEAR: samples,
        Encoding.ROOT: 4 * ONE * share**2,
    }[encoding]
    if encoding is Encoding.ROOT:
        light[light < _FAINT_LIGHT] = 0
    return _as_table(np.minimum(np.floor(light + 0.5), 65535))


@lru_cache(maxsize=16)
def _alpha_table(encoding: Encoding, full_scale: int) -> pyvips.Image:
    """Sample → coverage in 1/16384."""
    samples = np.arange(256 if full_scale == 255 else 65536, dtype=np.float64)
    one = ONE if encoding is Encoding.LINEAR else full_scale
    coverage = np.floor(ONE * np.minimum(samples / one, 1.0) + 0.5)
    if encoding is Encoding.ROOT:
        coverage[coverage < _FAINT_COVERAGE] = 0
        coverage[coverage > ONE - _FAINT_COVERAGE] = ONE
    return _as_table(coverage)


def _as_table(values: NDArray[np.float64]) -> pyvips.Image:
    packed = values.astype(np.uint16).tobytes()
    return pyvips.Image.new_from_memory(packed, len(values), 1, 1, "ushort")

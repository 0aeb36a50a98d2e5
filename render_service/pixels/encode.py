"""Canvas → WebP, AVIF, JPEG or PNG; the encode profiles in use.

The rule: equal canvases and equal outputs give equal bytes. Every number that reaches an encoder is
in the plan's profile or a constant here, nothing of the environment is written into a file, and a
change of a constant bumps `PIPELINE_REVISION`.

All pictures are sRGB: AVIF says so in its AV1 sequence header, the others by carrying no profile.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import UNSET

from render_service.errors import RenderFailed
from render_service.formats import FACTS, Format
from render_service.pixels.compose import Canvas
from render_service.pixels.vips import pyvips, translating
from render_service.planning.plan import EncodeProfile, Output

# Measured by `python -m benchmarks.encode`; docs/decisions/0004-encode-profiles.md has the tables.
PROFILES: Final[dict[Format, EncodeProfile]] = {
    Format.WEBP: EncodeProfile(quality=82, effort=2, alpha_effort=4, chroma=420, alpha_quality=100),
    Format.AVIF: EncodeProfile(quality=60, effort=2, chroma=444, alpha_quality=100),
    Format.JPEG: EncodeProfile(quality=85, effort=0, chroma=444),
    Format.PNG: EncodeProfile(quality=100, effort=6, chroma=444),
}


def encode(canvas: Canvas, output: Output) -> bytes:
    """Return the file of a canvas.

    Args:
        canvas: [height, width, 3], or 4 with straight alpha.
        output: The size of its file must be the canvas's.

    Raises:
        RenderFailed: The canvas is not what `output` says, or the encoder failed.
    """
    height, width, bands = canvas.shape
    if (width, height) != output.file_size_px:
        wide, high = output.file_size_px
        raise RenderFailed(f"The canvas is {width} by {height} px; its output is {wide} by {high}.")
    if bands == 4 and not FACTS[output.format].alpha:
        raise RenderFailed(f"The canvas has alpha, which {output.format} cannot hold.")
    with translating(lambda said: RenderFailed(f"Encoding {output.format} failed: {said}.")):
        image = pyvips.Image.new_from_memory(
            np.ascontiguousarray(canvas).data, width, height, bands, "uchar"
        ).copy(interpretation="srgb")
        return _ENCODERS[output.format](image, output.profile)


def _webp(image: pyvips.Image, profile: EncodeProfile) -> bytes:
    """Lossy VP8, whose chroma is always 4:2:0."""
    return image.webpsave_buffer(
        Q=profile.quality,
        effort=_effort(image, profile),
        alpha_q=profile.alpha_quality,
        keep=_NOTHING,
    )


def _avif(image: pyvips.Image, profile: EncodeProfile) -> bytes:
    """AV1 by libaom, the one encoder of the pyvips wheel; alpha is coded at the same quality.

    Tuned for still pictures (`iq` of libaom 3.12 and later): at the bytes of `ssim`, whose coarser
    chroma turned platinum violet, half its error of colour on white metals (decision record 0004).
    """
    return image.heifsave_buffer(
        compression="av1",
        encoder="aom",
        Q=profile.quality,
        effort=_effort(image, profile),
        bitdepth=profile.bit_depth,
        subsample_mode=_subsampling(profile),
        tune="iq",
        keep=_NOTHING,
    )


def _jpeg(image: pyvips.Image, profile: EncodeProfile) -> bytes:
    """Progressive, with Huffman tables made for the picture."""
    return image.jpegsave_buffer(
        Q=profile.quality,
        interlace=True,
        optimize_coding=True,
        subsample_mode=_subsampling(profile),
        keep=_NOTHING,
    )


def _png(image: pyvips.Image, profile: EncodeProfile) -> bytes:
    """Lossless; adaptive filters."""
    return image.pngsave_buffer(
        compression=_effort(image, profile), filter=_ALL_FILTERS, keep=_NOTHING
    )


# VipsForeignKeep.NONE and VIPS_FOREIGN_PNG_FILTER_ALL as numbers, as pyvips's type stubs want them.
_NOTHING: Final = 0
_ALL_FILTERS: Final = 0xF8

_ENCODERS: Final[dict[Format, Callable[[pyvips.Image, EncodeProfile], bytes]]] = {
    Format.AVIF: _avif,
    Format.WEBP: _webp,
    Format.JPEG: _jpeg,
    Format.PNG: _png,
}


def _effort(image: pyvips.Image, profile: EncodeProfile) -> int:
    """The effort for what `image` has: alpha may be worth another."""
    if image.hasalpha() and profile.alpha_effort is not UNSET:
        return profile.alpha_effort
    return profile.effort


def _subsampling(profile: EncodeProfile) -> str:
    """`on` is 4:2:0, whatever the quality."""
    return "off" if profile.chroma == 444 else "on"

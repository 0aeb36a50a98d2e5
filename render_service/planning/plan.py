"""The render plan: everything the pixels depend on, and nothing else.

A plan is built once by the planner and never modified. It is both the input of the pixel pipeline
and the preimage of the cache key, so a cached rendition is right by construction. Whatever changes
a pixel must be a field here. Integers, digests and names only: a plan is exact, and prints.
"""

from enum import StrEnum
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from render_service.composition.model import Blend as Blend
from render_service.composition.model import Encoding as Encoding
from render_service.formats import Format

ONE: Final = 16384
"""Linear light 1.0 in 16-bit pixels, paint matrices and tones: 14 bits leave headroom to 4.0."""


class Placement(Struct, frozen=True, kw_only=True):
    """One layer asset and where it lands on the canvas.

    Attributes:
        asset: SHA-256 of the layer file, lower-case hex.
        left_px: Canvas column of the layer file's left edge; negative crops.
        top_px: Canvas row of the layer file's top edge; negative crops.
        width_px: Width of the layer file, one page.
        height_px: Height of the layer file, one page.
        pages: Pages stacked in the file, one per node of the outer basis; 1 where there is none.
        bands: Colour bands of each page, without alpha: the nodes of the inner basis, or 3.
        encoding: How the file's numbers stand for light.
        blend: How it meets the layers below.
        paint: Rows R, G, B of the matrix over the layer's bands (page by page), in 1/16384; None
            draws the layer as it is.
        ramp: Stops (luminance, R, G, B) in 1/16384 linear light, rising, for a layer painted by a
            gradient; None otherwise.
    """

    asset: str
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    pages: int
    bands: int
    encoding: Encoding
    blend: Blend
    paint: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None
    ramp: tuple[tuple[int, int, int, int], ...] | None


class Tone(Struct, frozen=True, kw_only=True):
    """The view transform: exposure, then a shoulder, then the sRGB transfer; each in 1/16384.

    Linear x becomes x' = exposure·x. Up to the knee y = x'; from there a hyperbola of slope 1 at
    the knee reaches y = 1 at x' = white: with u = (x'-knee)/(white-knee) and
    s = (white-knee)/(1-knee), y = knee + (1-knee)·s·u / (1 + (s-1)·u).
    """

    exposure: int
    knee: int
    white: int


class EncodeProfile(Struct, frozen=True, kw_only=True):
    """How a canvas is encoded: the numbers that are handed to the encoder.

    Attributes:
        quality: 1-100, on the encoder's own scale; 100 for a lossless format.
        effort: The encoder's own scale: 0-6 WebP, 0-9 AVIF, 1-9 PNG compression; 0 for JPEG.
        chroma: 420 or 444.
        alpha_quality: 1-100, quality of the alpha plane where the format codes it apart.
        bit_depth: Bits per sample: 8, 10 or 12.
        alpha_effort: Effort of a canvas that has alpha; the same where it is left out, as in the
            plans of old, whose keys must stay.
    """

    quality: int
    effort: int
    chroma: int
    alpha_quality: int = 100
    bit_depth: int = 8
    alpha_effort: int | UnsetType = UNSET


class Tint(StrEnum):
    """What of its colour a picture keeps."""

    COLOUR = "colour"
    GRAY = "gray"
    BITONAL = "bitonal"


class Window(Struct, frozen=True, kw_only=True):
    """A part of the canvas, in layer pixels, wholly inside it.

    A window shows and does not cut: where the picture is scaled, its edges see what lies beyond
    them on the canvas, so that windows side by side join without a seam.
    """

    left_px: int
    top_px: int
    width_px: int
    height_px: int


# Fields at their defaults are left out of the plan's JSON, so that a field that is added here
# leaves the keys alone of every picture that does not use it.
class Output(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The file to make: its size, its format and how it is encoded.

    Attributes:
        format: Of the file.
        width_px: Width as drawn; a quarter turn makes it the height of the file.
        height_px: Height as drawn, likewise.
        profile: How it is encoded.
        tint: What of its colour it keeps.
        mirrored: Left and right are exchanged, before it is turned.
        quarter_turns: How far it is turned clockwise: 0 to 3 times 90 degrees.
    """

    format: Format
    width_px: int
    height_px: int
    profile: EncodeProfile
    tint: Tint = Tint.COLOUR
    mirrored: bool = False
    quarter_turns: int = 0

    @property
    def file_size_px(self) -> tuple[int, int]:
        """Width and height of the file."""
        turned = self.quarter_turns % 2
        return (self.height_px, self.width_px) if turned else (self.width_px, self.height_px)


class RenderPlan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is drawn, in order, bottom first.

    Attributes:
        pipeline: The revision of the pixel pipeline that this plan is written for.
        canvas_width_px: Width of the canvas in layer pixels; a region's width if one is drawn.
        canvas_height_px: Height, likewise.
        placements: The layers, bottom first.
        tone: The view transform.
        alpha: Whether the picture keeps its transparency. Where it does not, what no layer
            covers is black: no light.
        output: The file to make.
        window: The part of the canvas that is shown; None is all of it.
    """

    pipeline: int
    canvas_width_px: int
    canvas_height_px: int
    placements: tuple[Placement, ...]
    tone: Tone
    alpha: bool
    output: Output
    window: Window | None = None

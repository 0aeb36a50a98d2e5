"""What a render may cost, checked before any work is done for it.

Every limit is compared with numbers from a plan or a file's header, never with decoded pixels.
"""

from itertools import pairwise
from typing import Final

from msgspec import UNSET, Struct

from render_service.errors import InvalidPlan
from render_service.formats import FACTS, Format
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import Output, Placement, RenderPlan


class DecodeLimits(Struct, frozen=True, kw_only=True):
    """Bounds of one layer file.

    Attributes:
        max_bytes: Length of the file. 64 MiB: a 16-bit TIFF of twelve bands at 1600² is 59 MiB.
        max_pixels: Width × height × pages. 50 million: four pages of 3500², 400 MB decoded.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 50_000_000


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one plan.

    Attributes:
        max_canvas_pixels: Canvas in layer pixels. 16 million: 4000², a view larger than the widest
            rung of the ladder needs.
        max_output_pixels: Picture to make. 16 million: the same, since nothing is scaled up.
        max_layers: Layers. 32: five times what the largest view of the demo catalogue draws.
        max_layer_pixels: Sum over the layers of width × height × pages. 200 million: 1.6 GB of
            four-band light if nothing could be trimmed.
        decode: Bounds of each layer file.
    """

    max_canvas_pixels: int = 16_000_000
    max_output_pixels: int = 16_000_000
    max_layers: int = 32
    max_layer_pixels: int = 200_000_000
    decode: DecodeLimits = DecodeLimits()


def check_plan(plan: RenderPlan, limits: Limits) -> None:
    """Refuse a plan that cannot or must not be drawn, before anything is read or allocated.

    Raises:
        InvalidPlan: What is wrong with it, what was found and what would be right.
    """
    if plan.pipeline != PIPELINE_REVISION:
        raise InvalidPlan(
            f"The plan is for pipeline revision {plan.pipeline}; this release draws revision "
            f"{PIPELINE_REVISION}."
        )
    _check_sizes(plan, limits)
    _check_window(plan)
    _check_output(plan)
    for number, placement in enumerate(plan.placements):
        _check_placement(f"placements[{number}]", placement)


def _check_sizes(plan: RenderPlan, limits: Limits) -> None:
    output = plan.output
    _at_least("canvas_width_px", plan.canvas_width_px, 1)
    _at_least("canvas_height_px", plan.canvas_height_px, 1)
    _at_least("output.width_px", output.width_px, 1)
    _at_least("output.height_px", output.height_px, 1)
    canvas_pixels = plan.canvas_width_px * plan.canvas_height_px
    layer_pixels = sum(p.width_px * p.height_px * p.pages for p in plan.placements)
    _at_most("canvas in pixels", canvas_pixels, limits.max_canvas_pixels)
    _at_most("output in pixels", output.width_px * output.height_px, limits.max_output_pixels)
    _at_most("number of layers", len(plan.placements), limits.max_layers)
    _at_most("sum of its layers in pixels", layer_pixels, limits.max_layer_pixels)


def _check_window(plan: RenderPlan) -> None:
    window = plan.window
    if window is None:
        return
    right, bottom = window.left_px + window.width_px, window.top_px + window.height_px
    _at_least("window.left_px", window.left_px, 0)
    _at_least("window.top_px", window.top_px, 0)
    _at_least("window.width_px", window.width_px, 1)
    _at_least("window.height_px", window.height_px, 1)
    _at_most("window's right edge", right, plan.canvas_width_px)
    _at_most("window's lower edge", bottom, plan.canvas_height_px)


def _check_output(plan: RenderPlan) -> None:
    output, facts = plan.output, FACTS[plan.output.format]
    _at_most(
        f"longer side in {output.format}",
        max(output.width_px, output.height_px),
        facts.largest_side_px,
    )
    if plan.alpha and not facts.alpha:
        raise InvalidPlan(f"The plan keeps alpha, which {output.format} cannot hold.")
    _check_profile(output)
    _one_of("output.quarter_turns", output.quarter_turns, (0, 1, 2, 3))
    tone = plan.tone
    if not (0 <= tone.knee < tone.white and tone.knee < 16384 <= tone.white and tone.exposure > 0):
        raise InvalidPlan(
            f"The tone is exposure {tone.exposure}, knee {tone.knee}, white {tone.white}; needed: "
            "exposure > 0 and 0 <= knee < 16384 <= white."
        )


def _check_profile(output: Output) -> None:
    """Hold the profile against the encoder's scales: libvips ignores a number that is off them."""
    profile, least_effort, most_effort = output.profile, *_EFFORTS[output.format]
    _at_least("output.profile.quality", profile.quality, 1)
    _at_most("output.profile.quality", profile.quality, 100)
    _at_least("output.profile.alpha_quality", profile.alpha_quality, 1)
    _at_most("output.profile.alpha_quality", profile.alpha_quality, 100)
    for name in ("effort", "alpha_effort"):
        effort = getattr(profile, name)
        if effort is not UNSET:
            _at_least(f"output.profile.{name}", effort, least_effort)
            _at_most(f"output.profile.{name}", effort, most_effort)
    depths = (8, 10, 12) if output.format is Format.AVIF else (8,)
    _one_of("output.profile.bit_depth", profile.bit_depth, depths)
    _one_of("output.profile.chroma", profile.chroma, (420, 444))


# The encoders' own scales: libwebp 0-6, libaom through libheif 0-9, zlib 1-9; JPEG has none.
_EFFORTS: Final = {
    Format.AVIF: (0, 9),
    Format.WEBP: (0, 6),
    Format.JPEG: (0, 0),
    Format.PNG: (1, 9),
}


def _check_placement(where: str, placement: Placement) -> None:
    for name in ("width_px", "height_px", "pages", "bands"):
        _at_least(f"{where}.{name}", getattr(placement, name), 1)
    bands = placement.pages * placement.bands
    if placement.paint is not None:
        lengths = sorted({len(row) for row in placement.paint})
        if lengths != [bands]:
            raise InvalidPlan(
                f"{where}.paint has rows of {lengths} numbers; its layer has {bands} bands."
            )
    elif bands != 3:
        raise InvalidPlan(f"{where} has {bands} bands and no paint; unpainted layers have 3.")
    if placement.ramp is not None:
        rising = [stop[0] for stop in placement.ramp]
        if not rising or any(b <= a for a, b in pairwise(rising)):
            raise InvalidPlan(f"{where}.ramp has stops at {rising}; needed: one or more, rising.")


def _at_least(what: str, found: int, least: int) -> None:
    if found < least:
        raise InvalidPlan(f"The plan's {what} is {found}; the least is {least}.")


def _at_most(what: str, found: int, most: int) -> None:
    if found > most:
        raise InvalidPlan(f"The plan's {what} is {found}; the most is {most}.")


def _one_of(what: str, found: int, offered: tuple[int, ...]) -> None:
    if found not in offered:
        raise InvalidPlan(f"The plan's {what} is {found}; needed: one of {offered}.")

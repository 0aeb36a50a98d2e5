"""What a client may ask for: one view of one configuration at one width in one format.

A request is offered from a finite list, so nobody can mint work or cache keys at will; a part of a
view is not, and who may ask for it is decided before it is planned.
"""

from typing import Final

from msgspec import Struct

from render_service.formats import Format
from render_service.planning.plan import Tint, Window

LADDER_PX: Final = (160, 240, 320, 480, 640, 800, 1080, 1280, 1600, 2048, 3072)
"""Widths on offer, up to the view's own."""


class RenderRequest(Struct, frozen=True, kw_only=True):
    """A picture asked for, before defaults are filled and rules are checked.

    Attributes:
        composition: Composition id.
        view: View id.
        region: Named region of the view, or None for the whole view.
        selection: (option, value) pairs as given, in the order given, without repeats.
        width_px: Width of the picture.
        format: Format of the picture.
    """

    composition: str
    view: str
    region: str | None
    selection: tuple[tuple[str, str], ...]
    width_px: int
    format: Format


class PartRequest(Struct, frozen=True, kw_only=True):
    """A part of a view, at any size: what is not offered from a list, and so not to everybody.

    Attributes:
        window: The part, on the view's canvas and inside it.
        width_px: Width it is drawn at.
        height_px: Height it is drawn at.
        format: Format of the picture.
        tint: What of its colour it keeps.
        mirrored: Left and right are exchanged, before it is turned.
        quarter_turns: 0 to 3 times 90 degrees, clockwise.
    """

    window: Window
    width_px: int
    height_px: int
    format: Format
    tint: Tint = Tint.COLOUR
    mirrored: bool = False
    quarter_turns: int = 0


def offered_widths(canvas_width_px: int) -> tuple[int, ...]:
    """Return the ladder up to `canvas_width_px`; a canvas below the first rung offers itself."""
    return tuple(w for w in LADDER_PX if w <= canvas_width_px) or (canvas_width_px,)


def height_for(width_px: int, canvas_width_px: int, canvas_height_px: int) -> int:
    """Return the height that keeps the canvas's proportions, rounded half up, at least 1."""
    return max(1, (2 * width_px * canvas_height_px + canvas_width_px) // (2 * canvas_width_px))

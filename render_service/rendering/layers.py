"""The layers of one render: what is at hand already, and how the rest is made.

The rule: what is most finished is looked for first, once, at the start, and kept in hand: what the
render counts on cannot be dropped by another before it is drawn.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from render_service.pixels.decode import decode
from render_service.pixels.limits import DecodeLimits
from render_service.pixels.paint import paint
from render_service.pixels.raster import Raster
from render_service.pixels.resample import Frame, crop, resample
from render_service.planning.plan import Blend, Placement, Window
from render_service.rendering.rasters import RasterKey, Rasters, Step
from render_service.telemetry import instruments

How = Step | Literal["mapped"]
"""How a raster that is not at hand comes to hand: it is made, or mapped from the store."""


class Layers:
    """The layers of one render.

    Of a window nothing is kept but what other windows can use: the layer as decoded, or its whole
    at the scale of the window's tiles. The rest costs as much as the window, whatever the canvas.

    Args:
        rasters: Where finished steps are kept.
        placements: The layers of the plan.
        frame: Canvas and output size of the plan.
        limits: Bounds of each layer file.

    Attributes:
        missing: Every raster that must be made or mapped: how, its key, its layer.
    """

    def __init__(
        self,
        rasters: Rasters,
        placements: tuple[Placement, ...],
        frame: Frame,
        limits: DecodeLimits,
    ) -> None:
        self._rasters, self._frame, self._limits = rasters, frame, limits
        self._level = level_of(frame)
        # The frame that scaled layers are kept in.
        self._kept = self._level or (frame if frame.window is None else None)
        self._placements = placements
        self._ready: dict[Placement, tuple[Step, Raster]] = {}
        self._stored: dict[Placement, RasterKey] = {}
        self._mapped: set[Placement] = set()
        self._gone: set[RasterKey] = set()
        self.missing: list[tuple[How, RasterKey, Placement]] = []
        for placement in placements:
            self._look_up(placement)

    @property
    def assets(self) -> tuple[str, ...]:
        """Digests of the layer files that must be read, unless the store has less than it seems."""
        at_hand = self._ready.keys() | self._stored.keys()
        return tuple(dict.fromkeys(p.asset for p in self._placements if p not in at_hand))

    @property
    def is_stored(self) -> bool:
        """Whether something is to be loaded from the store."""
        return bool(self._stored)

    def load(self) -> None:
        """Take in hand what the store has; `assets` is sure from then on. Blocks."""
        while self._stored:
            placement, key = self._stored.popitem()
            raster = self._rasters.load(key)
            if raster is None:
                # Swept away meanwhile, or damaged; the store may have less finished work of it.
                self._gone.add(key)
                self._look_up(placement)
            else:
                self._ready[placement] = (key[0], raster)
                self._mapped.add(placement)

    def count(self) -> None:
        """Count how each layer is at hand, for the render that is drawn with it."""
        for placement in self._placements:
            step, _ = self._ready.get(placement, ("miss", None))
            instruments.rasters.add(1, "mapped" if placement in self._mapped else step)

    def tile(self, placement: Placement, files: Mapping[str, bytes]) -> Raster:
        """Return the raster of `placement`, painted, at the output's scale.

        Args:
            placement: One of the placements given.
            files: The layer files of `assets`.
        """
        if self._frame.window is not None:
            return paint(self._in_window(placement, files), placement)
        keys = self._keys(placement)
        step, raster = self._ready.get(placement, (None, None))
        if step == "painted" and raster is not None:
            return raster

        if not _is_painted(placement):
            return self._scaled(placement, files)
        return self._rasters.get_or_make(
            keys["painted"], lambda: paint(self._scaled(placement, files), placement)
        )

    def _in_window(self, placement: Placement, files: Mapping[str, bytes]) -> Raster:
        """The layer in the window at the output's scale, not yet painted."""
        if self._level is None:
            return resample(self._decoded(placement, files), placement, self._frame)
        shown, scale = self._frame.shown, self._level.shown.width_px // self._level.width_px
        here = Window(
            left_px=shown.left_px // scale,
            top_px=shown.top_px // scale,
            width_px=self._frame.width_px,
            height_px=self._frame.height_px,
        )
        return crop(self._scaled(placement, files), here)

    def _scaled(self, placement: Placement, files: Mapping[str, bytes]) -> Raster:
        step, raster = self._ready.get(placement, (None, None))
        if step == "scaled" and raster is not None:
            return raster
        frame = self._level or self._frame
        return self._rasters.get_or_make(
            self._keys(placement)["scaled"],
            lambda: resample(self._decoded(placement, files), placement, frame),
        )

    def _decoded(self, placement: Placement, files: Mapping[str, bytes]) -> Raster:
        step, raster = self._ready.get(placement, (None, None))
        if step == "decoded" and raster is not None:
            return raster
        return self._rasters.get_or_make(
            self._keys(placement)["decoded"],
            lambda: decode(files[placement.asset], placement, self._limits, placement.asset),
        )

    def _look_up(self, placement: Placement) -> None:
        """Take in hand what is most finished; list what must be made of it."""
        for step, key in self._keys(placement).items():
            if (raster := self._rasters.get(key)) is not None:
                self._ready[placement] = (step, raster)
                return
            if key not in self._gone and self._rasters.is_stored(key):
                self._stored[placement] = key
                self.missing.append(("mapped", key, placement))
                return
            if step != "painted" or _is_painted(placement):
                self.missing.append((step, key, placement))

    def _keys(self, placement: Placement) -> dict[Step, RasterKey]:
        """The keys of the steps that are kept, most finished first.

        Each holds all of the placement that its step can see, and nothing that it cannot: layers
        that differ only in paint share what was scaled, sizes share what was decoded.
        """
        painted = replace(placement, blend=Blend.OVER)
        scaled = replace(painted, paint=None, ramp=None)
        decoded = replace(scaled, left_px=0, top_px=0)
        keys: dict[Step, RasterKey] = {}
        if self._frame.window is None:
            keys["painted"] = ("painted", painted, self._frame)
        if self._kept is not None:
            keys["scaled"] = ("scaled", scaled, self._kept)
        return {**keys, "decoded": ("decoded", decoded, None)}


def _is_painted(placement: Placement) -> bool:
    return placement.paint is not None or placement.ramp is not None


def level_of(frame: Frame) -> Frame | None:
    """Return the frame of the whole canvas of which a window is a piece, pixel by pixel.

    There is one where an output pixel is a square of whole canvas pixels, and the window begins
    between two of these: tiles of a scale do, but for the last of a row or column where the canvas
    is no multiple of the scale. None for any other window, for one that is not scaled, and for
    none. What is cut from the level is exactly what the window would have been scaled to: the
    weights of an output pixel depend on where its centre lies on the canvas, and on nothing else.
    """
    shown = frame.window
    if shown is None or frame.is_unscaled:
        return None
    scale = shown.width_px // frame.width_px
    pieces = (frame.width_px * scale, frame.height_px * scale)
    if scale < 1 or pieces != (shown.width_px, shown.height_px):
        return None
    if shown.left_px % scale or shown.top_px % scale:
        return None
    wide, high = frame.canvas_width_px // scale, frame.canvas_height_px // scale
    whole = Window(left_px=0, top_px=0, width_px=wide * scale, height_px=high * scale)
    is_whole = (whole.width_px, whole.height_px) == (frame.canvas_width_px, frame.canvas_height_px)
    return replace(frame, width_px=wide, height_px=high, window=None if is_whole else whole)

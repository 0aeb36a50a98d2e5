"""Pictures of a composition, drawn, encoded at a chosen quality, and scored.

The rule: what was scored once is not drawn again. A score is kept under the key of its plan, which
holds all that it depends on, but for the programs that encode and score.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from render_service.composition.model import Composition, SizeClass, View
from render_service.composition.qualities import size_class
from render_service.formats import Format
from render_service.pixels.compose import Canvas
from render_service.pixels.encode import encode
from render_service.pixels.limits import Limits
from render_service.pixels.offline import Read
from render_service.pixels.score import Original
from render_service.planning.key import derive_key
from render_service.planning.plan import RenderPlan
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters

RASTERS_BYTES: Final = 1024**3
"""Layers kept while one composition is measured, as in its check."""


class Cell(NamedTuple):
    """A view, or a region of it, at a width."""

    view: View
    region: str | None
    width_px: int


class Scored(NamedTuple):
    """What came of one encoding."""

    score: float
    size_bytes: int


class Scores(Protocol):
    """Scores that are kept between calibrations, by the key of the plan."""

    def get(self, key: str) -> Scored | None:
        """Return what was measured of the plan, or None."""
        ...

    def put(self, key: str, scored: Scored) -> None:
        """Keep what was measured."""
        ...


class Gallery:
    """The pictures of one composition; the one drawn last is held, for its other qualities."""

    def __init__(
        self, planner: Planner, read: Read, limits: Limits, composition: Composition, scores: Scores
    ) -> None:
        """Measure the pictures of `composition`, which `planner` plans and `read` has the files of.

        Args:
            planner: Plans its pictures.
            read: Returns its layer files.
            limits: Bounds of plans and files.
            composition: Whose pictures.
            scores: What was measured before.
        """
        self._planner, self._read, self._limits = planner, read, limits
        self.composition, self._scores = composition, scores
        self._rasters = Rasters(budget_bytes=RASTERS_BYTES)
        self._held: tuple[RenderPlan, Canvas, Original] | None = None

    def measure(
        self, cell: Cell, configuration: Mapping[str, str], file_format: Format, quality: int | None
    ) -> Scored:
        """Return the score and size of a picture at `quality`; None is the one it is planned with.

        Raises:
            AlphaNotOffered: The picture is transparent and the format cannot be.
            AssetFailure: A layer file cannot be used.
        """
        plan = self.plan(cell, configuration, file_format)
        if quality is not None:
            profile = replace(plan.output.profile, quality=quality)
            plan = replace(plan, output=replace(plan.output, profile=profile))
        key = derive_key(plan)
        if (held := self._scores.get(key)) is not None:
            return held
        canvas, original = self._original(plan)
        body = encode(canvas, plan.output)
        scored = Scored(original.score(body), len(body))
        self._scores.put(key, scored)
        return scored

    def plan(self, cell: Cell, configuration: Mapping[str, str], file_format: Format) -> RenderPlan:
        """Return the plan of a picture as the catalogue has it."""
        request = RenderRequest(
            composition=self.composition.id,
            view=cell.view.id,
            region=cell.region,
            selection=tuple(configuration.items()),
            width_px=cell.width_px,
            format=file_format,
        )
        return self._planner.plan(request).plan

    def _original(self, plan: RenderPlan) -> tuple[Canvas, Original]:
        """The canvas of a plan, however it is encoded, ready to be held against files."""
        profile = self._planner.profiles[Format.PNG]
        output = replace(plan.output, format=Format.PNG, profile=profile)
        drawn = replace(plan, output=output)
        if self._held is None or self._held[0] != drawn:
            canvas = draw_with(drawn, self._rasters, self._read, self._limits)
            self._held = drawn, canvas, Original(canvas)
        return self._held[1], self._held[2]


def cells_of(
    composition: Composition,
) -> dict[tuple[str, str | None, SizeClass], tuple[Cell, ...]]:
    """Return all pictures: view, region and size class → its widths, narrowest first."""
    found: dict[tuple[str, str | None, SizeClass], tuple[Cell, ...]] = {}
    for view in composition.views.values():
        for region in (None, *view.regions):
            for width_px in offered_widths(view.frame(region)[2]):
                place = view.id, region, size_class(width_px)
                found[place] = (*found.get(place, ()), Cell(view, region, width_px))
    return found

"""Whether every picture of a catalogue can be drawn, and every option can be seen.

What the definitions promise is tried on the files: each layer file is decoded by itself, each
combination of sound files is drawn, and an option that changes no pixel anywhere is a fault.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import valid_configurations
from render_service.composition.model import Composition, View, satisfied
from render_service.errors import AssetFailure, Fault, RenderServiceError
from render_service.formats import Format
from render_service.pixels.compose import Canvas
from render_service.pixels.limits import Limits, check_plan
from render_service.pixels.offline import Read
from render_service.pixels.resample import frame_of
from render_service.planning.plan import Blend, Placement, RenderPlan
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.rendering.layers import Layers
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters

WIDTH_PX: Final = 320
"""Width at which combinations are tried; an option not seen there is looked for at full width."""

UNCOVERED_SHARE_MAX: Final = 0.001
"""Share of an opaque picture that no layer may cover: antialiased seams, not a missing ground."""

COVERED_FROM: Final = 245
"""Alpha, of 255, from which a pixel counts as covered: lossy layer files lose a few levels."""

RASTERS_BYTES: Final = 1024**3
"""Layers kept while one composition is tried: all of a large ring's at full size."""

Step = Callable[[str], None]


class Check:
    """One check of one catalogue. Faults gather in `faults`; `run` reports each step done."""

    def __init__(
        self, planner: Planner, read: Read, limits: Limits, *, rasters_bytes: int = RASTERS_BYTES
    ) -> None:
        """Check the catalogue of `planner`, its files read by `read`, within `limits`."""
        self._planner, self._read, self._limits = planner, read, limits
        self._rasters_bytes = rasters_bytes
        self._catalogue: Catalogue = planner.catalogue
        self.faults: list[Fault] = []

    @property
    def steps(self) -> int:
        """How many steps `run` will report: pictures tried and options looked for."""
        total = 0
        for composition in self._catalogue.compositions.values():
            total += len(composition.options)
            for view in composition.views.values():
                total += sum(1 for _ in _combinations(composition, view))
        return total

    def run(self, step: Step) -> list[Fault]:
        """Try everything; return every fault found.

        Args:
            step: Called after each step with what was tried.
        """
        for composition in self._catalogue.compositions.values():
            gallery = Gallery(
                self._planner,
                self._read,
                self._limits,
                composition,
                rasters_bytes=self._rasters_bytes,
            )
            for view in composition.views.values():
                for configuration in _combinations(composition, view):
                    self.faults.extend(gallery.try_picture(view, configuration))
                    step(f"{composition.id} {view.id}")
            for option in composition.options:
                # What cannot be drawn cannot be compared either.
                if not gallery.broken and not gallery.shows(option):
                    problem = "no view changes by any value of it; use it in a layer or remove it"
                    self.faults.append(_fault(composition, f"options.{option}", "", problem))
                step(f"{composition.id} {option}")
        return self.faults


class Gallery:
    """The pictures of one composition, drawn from layers that are decoded once."""

    def __init__(
        self,
        planner: Planner,
        read: Read,
        limits: Limits,
        composition: Composition,
        *,
        rasters_bytes: int = RASTERS_BYTES,
    ) -> None:
        """Draw pictures of `composition`, keeping layers of that many bytes."""
        self._planner, self._read, self._limits = planner, read, limits
        self._composition = composition
        self._rasters = Rasters(budget_bytes=rasters_bytes)
        self._sound: dict[tuple[str, Placement], bool] = {}
        self._reported: set[str] = set()
        self.broken = False

    def try_picture(self, view: View, configuration: Mapping[str, str]) -> Iterator[Fault]:
        """Draw one configuration; yield what is wrong with it, each layer file once."""
        try:
            plan = self._plan(view, configuration, WIDTH_PX)
            check_plan(plan, self._limits)
            faults, sound = self._try_files(view, configuration, plan)
            yield from faults
            if not sound:
                self.broken = True
                return
            covered = self._draw(msgspec.structs.replace(plan, alpha=True))
        except RenderServiceError as error:
            self.broken = True
            if str(error) not in self._reported:
                self._reported.add(str(error))
                problem = f"{_spelled(configuration)}: {error}"
                yield _fault(self._composition, f"views.{view.id}", "", problem)
            return
        bare = float((covered[..., 3] < COVERED_FROM).mean())
        if not plan.alpha and bare > UNCOVERED_SHARE_MAX:
            problem = (
                f"{bare:.1%} of the opaque picture of {_spelled(configuration)} is covered by no "
                "layer and would be black; add a ground, or offer it with background=transparent"
            )
            yield _fault(self._composition, f"views.{view.id}", "layers", problem)

    def shows(self, option: str) -> bool:
        """Return whether some view changes a pixel by this option alone."""
        views = [v for v in self._composition.views.values() if option in v.options]
        return any(self._differs(view, option, WIDTH_PX) for view in views) or any(
            self._differs(view, option, view.width_px) for view in views
        )

    def _try_files(
        self, view: View, configuration: Mapping[str, str], plan: RenderPlan
    ) -> tuple[list[Fault], bool]:
        """Make each layer not tried before by itself; return new faults, and whether all are sound.

        The canvas is the whole view, so the placements are the layers drawn, in their order.
        """
        drawn = [
            (f"views.{view.id}.layers[{index}]", layer.asset_for(configuration))
            for index, layer in enumerate(view.layers)
            if satisfied(layer.when, configuration)
        ]
        faults: list[Fault] = []
        sound = True
        for (table, name), placement in zip(drawn, plan.placements, strict=True):
            # As it is stored: neither where it lies nor what paints it matters to the file.
            stored = msgspec.structs.replace(
                placement, left_px=0, top_px=0, blend=Blend.OVER, paint=None, ramp=None
            )
            if (name, stored) not in self._sound:
                problem = self._try_file(placement, plan)
                self._sound[name, stored] = problem is None
                if problem is not None:
                    faults.append(_fault(self._composition, table, "asset", f"{name} {problem}"))
            sound = sound and self._sound[name, stored]
        return faults, sound

    def _try_file(self, placement: Placement, plan: RenderPlan) -> str | None:
        """Return what is wrong with a layer file, or None; what was made of it is kept."""
        layers = Layers(self._rasters, (placement,), frame_of(plan), self._limits.decode)
        try:
            layers.tile(placement, {asset: self._read(asset) for asset in layers.assets})
        except AssetFailure as error:
            return error.reason
        return None

    def _draw(self, plan: RenderPlan) -> Canvas:
        return draw_with(plan, self._rasters, self._read, self._limits)

    def _differs(self, view: View, option: str, width_px: int) -> bool:
        """Return whether two configurations that differ in `option` alone draw differently."""
        others = [name for name in view.options if name != option]
        seen: dict[tuple[str, ...], bytes] = {}
        for configuration in _first_per_file(self._composition, view, option):
            plan = self._plan(view, configuration, width_px)
            drawn = hashlib.sha256(self._draw(plan).tobytes()).digest() + bytes([plan.alpha])
            rest = tuple(configuration[name] for name in others)
            if seen.setdefault(rest, drawn) != drawn:
                return True
        return False

    def _plan(self, view: View, configuration: Mapping[str, str], width_px: int) -> RenderPlan:
        widths = offered_widths(view.width_px)
        request = RenderRequest(
            composition=self._composition.id,
            view=view.id,
            region=None,
            selection=tuple(configuration.items()),
            width_px=max(width for width in widths if width <= max(width_px, widths[0])),
            format=Format.PNG,
        )
        return self._planner.plan(request).plan


def _combinations(composition: Composition, view: View) -> Iterator[dict[str, str]]:
    """Yield one valid configuration of `view` for each combination of layer files it can show."""
    seen: set[tuple[str, ...]] = set()
    for configuration in valid_configurations(composition, view.options):
        files = _files(view, configuration)
        if files not in seen:
            seen.add(files)
            yield configuration


def _first_per_file(composition: Composition, view: View, option: str) -> Iterator[dict[str, str]]:
    """Yield configurations grouped so that those differing in `option` alone come together.

    Among options other than `option` only those that choose files vary; the rest, which only paint,
    keep the first value that a valid configuration has for them.
    """
    choosing = {name for layer in view.layers for name in (*layer.names, *layer.when)}
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    painting = [name for name in view.options if name not in choosing and name != option]
    for configuration in valid_configurations(composition, view.options):
        chosen = tuple(v for k, v in configuration.items() if k in choosing and k != option)
        paints = tuple(configuration[name] for name in painting)
        if seen.setdefault(chosen, paints) == paints:
            yield configuration


def _files(view: View, configuration: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        layer.asset_for(configuration)
        for layer in view.layers
        if satisfied(layer.when, configuration)
    )


def _spelled(configuration: Mapping[str, str]) -> str:
    return ",".join(f"{option}={value}" for option, value in configuration.items()) or "-"


def _fault(composition: Composition, table: str, key: str, problem: str) -> Fault:
    return Fault(file=f"{composition.id}/composition.toml", table=table, key=key, problem=problem)

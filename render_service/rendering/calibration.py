"""Which quality does each picture of a composition need? Draw, encode, score, and learn.

The rule: what is measured depends on the seed and on what was measured before, never on the clock,
so that a calibration that was stopped goes on where it was, from the scores that were kept.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from render_service.composition.configuration import resolve_view
from render_service.composition.model import QualityTable, SizeClass, View
from render_service.composition.qualities import (
    Picture,
    counted_options,
    encoder_quality,
    level_of,
    options_in,
    size_class,
)
from render_service.errors import ForbiddenConfiguration
from render_service.formats import FACTS, Format
from render_service.planning.planner import has_alpha
from render_service.rendering.measuring import Cell, Gallery, cells_of
from render_service.rendering.quality_fit import Fit, Sample
from render_service.rendering.targets import LEAST

TRIES_MAX: Final = 4
"""Qualities tried for one sample: the predicted one, and steps along the slope."""

CLOSE_ENOUGH: Final = 1.25
"""Points from the target from which the slope leads the rest of the way: one quality is about half
a point, and scores of neighbouring qualities scatter by as much."""

SLOPE: Final = 0.5
"""Points a level where only one quality was tried: the median over the demo catalogue."""

SLOPES: Final = (0.2, 1.2)
"""Slopes that are believed: the quartiles over the demo are 0.4 and 0.6, and a pair of scores that
scatter can give any."""

CANDIDATES: Final = 12
"""Configurations drawn for a sample; the one whose values were seen least is taken."""

ZOOM_SHARE: Final = 3
"""Large pictures get a third of the samples: each takes ten times as long as a small one, and what
a value adds is learnt from all sizes together."""

EXTREMES_OF: Final = 500
"""Configurations drawn to find those that are thought to need most and least."""

Step = Callable[[], bool]
"""Called after each sample; False stops the calibration there."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a calibration is to find.

    Attributes:
        formats: The formats.
        targets: Size class → score.
        samples: Samples of each view or region and size class, beside two extremes; zoom has a
            third of them, and every width one at the least.
        held_out: Pictures measured afterwards, in no part of the fit.
        seed: Of the draw.
    """

    formats: tuple[Format, ...]
    targets: Mapping[SizeClass, float]
    samples: int
    held_out: int
    seed: int


class HeldOut(NamedTuple):
    """A picture that the fit did not see, at the quality it has now."""

    cell: Cell
    format: Format
    quality: int
    off: float
    size_bytes: int


class Calibration:
    """The search for the qualities of one composition."""

    def __init__(self, gallery: Gallery, asked: Asked) -> None:
        """Find what is `asked` of the composition of `gallery`."""
        self._gallery, self._asked = gallery, asked
        self._composition = gallery.composition
        self._random = random.Random(f"{asked.seed} {gallery.composition.id}")  # noqa: S311
        self._samples: dict[tuple[str, str | None, Format], list[Sample]] = {}
        self._seen: dict[tuple[str, str | None], list[Mapping[str, str]]] = {}
        self._taken = 0

    @property
    def steps(self) -> int:
        """Samples that `find` will take, at most."""
        groups = cells_of(self._composition).values()
        return sum(self._samples_of(cells) + 2 for cells in groups) + self._asked.held_out

    def find(self, step: Step) -> tuple[QualityTable, ...] | None:
        """Return the qualities; None where `step` said to stop before each width had samples.

        Args:
            step: Called before each sample; False stops there.
        """
        groups = cells_of(self._composition)
        # Round by round, so that wherever it stops every width has its share.
        for turn in range(max(map(self._samples_of, groups.values()))):
            for cells in groups.values():
                if turn >= self._samples_of(cells):
                    continue
                if not step():
                    return self._tables() if turn >= max(map(len, groups.values())) else None
                cell = cells[turn % len(cells)]
                self._sample(cell, self._next_configuration(cell))
        for cells in groups.values():
            for configuration in self._extremes(cells[-1]):
                if not step():
                    return self._tables()
                self._sample(cells[-1], configuration)
        return self._tables()

    def check(self, gallery: Gallery, step: Step) -> tuple[HeldOut, ...]:
        """Return how far pictures that were not sampled are off, as `gallery` plans them.

        Args:
            gallery: Plans with the qualities found.
            step: As in `find`.
        """
        cells = [cell for group in cells_of(self._composition).values() for cell in group]
        found: list[HeldOut] = []
        for turn in range(self._asked.held_out):
            if not step():
                break
            cell = cells[turn % len(cells)]
            configuration = self._unseen(cell)
            formats = self._formats(configuration)
            found.extend(self._held_out(gallery, cell, configuration, f) for f in formats)
        return tuple(found)

    @property
    def taken(self) -> int:
        """Pictures sampled so far."""
        return self._taken

    def _samples_of(self, cells: Sequence[Cell]) -> int:
        """How many samples a size class gets: one for each width at the least."""
        few = size_class(cells[0].width_px) is SizeClass.ZOOM
        count = self._asked.samples // ZOOM_SHARE if few else self._asked.samples
        return max(count, len(cells))

    def _held_out(
        self,
        gallery: Gallery,
        cell: Cell,
        configuration: Mapping[str, str],
        file_format: Format,
    ) -> HeldOut:
        plan = gallery.plan(cell, configuration, file_format)
        scored = gallery.measure(cell, configuration, file_format, None)
        return HeldOut(
            cell=cell,
            format=file_format,
            quality=plan.output.profile.quality,
            off=scored.score - self._asked.targets[size_class(cell.width_px)],
            size_bytes=scored.size_bytes,
        )

    def _sample(self, cell: Cell, configuration: Mapping[str, str]) -> None:
        """Find the level that a picture needs, in every format it can have."""
        self._taken += 1
        self._seen.setdefault((cell.view.id, cell.region), []).append(configuration)
        counted = counted_options(cell.view, cell.region, configuration)
        reaching = {option: value for option, value in configuration.items() if option in counted}
        for file_format in self._formats(configuration):
            samples = self._samples.setdefault((cell.view.id, cell.region, file_format), [])
            level = Fit(samples).level(cell.width_px, reaching)
            level, slope = self._search(cell, configuration, file_format, level)
            samples.append(
                Sample(width_px=cell.width_px, configuration=reaching, level=level, slope=slope)
            )

    def _search(
        self,
        cell: Cell,
        configuration: Mapping[str, str],
        file_format: Format,
        level: float | None,
    ) -> tuple[float, float]:
        """Return the level at which a picture meets its target, and the points a level there."""
        target = self._asked.targets[size_class(cell.width_px)]
        if level is None:
            plan = self._gallery.plan(cell, configuration, file_format)
            level = level_of(file_format, plan.output.profile.quality)
        tried: dict[int, float] = {}
        slope = SLOPE
        quality = encoder_quality(file_format, round(10 * level))
        while quality not in tried and len(tried) < TRIES_MAX:
            scored = self._gallery.measure(cell, configuration, file_format, quality)
            tried[quality] = scored.score
            slope = _slope(file_format, tried, target)
            best = min(tried, key=lambda q: abs(tried[q] - target))
            missing = target - tried[best]
            level = level_of(file_format, best) + missing / slope
            if abs(missing) <= CLOSE_ENOUGH:
                break
            quality = encoder_quality(file_format, round(10 * level))
        return level, slope

    def _tables(self) -> tuple[QualityTable, ...]:
        tables = []
        for (view, region, size), cells in cells_of(self._composition).items():
            found = self._composition.views[view]
            options = {
                option: self._composition.options[option].ids
                for option in options_in(found, region)
            }
            for file_format in self._asked.formats:
                samples = self._samples.get((view, region, file_format), [])
                widths = [cell.width_px for cell in cells]
                # A format that no picture here can have.
                if not set(widths) <= {sample.width_px for sample in samples}:
                    continue
                picture = Picture(view=found, region=region, format=file_format)
                least = LEAST[file_format]
                tables.append(Fit(samples).table(picture, size, widths, options, least))
        return tuple(tables)

    def _formats(self, configuration: Mapping[str, str]) -> list[Format]:
        alpha = has_alpha(configuration)
        return [f for f in self._asked.formats if FACTS[f].alpha or not alpha]

    def _next_configuration(self, cell: Cell) -> Mapping[str, str]:
        """The default first, then of some drawn the one whose values were seen least."""
        seen = self._seen.get((cell.view.id, cell.region), [])
        if not seen:
            return resolve_view(self._composition, cell.view, {})
        drawn = [self._draw(cell.view) for _ in range(CANDIDATES)]
        return min(drawn, key=lambda c: sum(other[o] == c[o] for other in seen for o in c))

    def _unseen(self, cell: Cell) -> Mapping[str, str]:
        """A configuration that was not sampled; any, where all were."""
        seen = self._seen.get((cell.view.id, cell.region), [])
        drawn = [self._draw(cell.view) for _ in range(CANDIDATES)]
        return next((c for c in drawn if c not in seen), drawn[0])

    def _extremes(self, cell: Cell) -> list[Mapping[str, str]]:
        """The configurations that are thought to need most and least, in the first format."""
        fit = Fit(self._samples.get((cell.view.id, cell.region, self._asked.formats[0]), []))

        def needed(configuration: Mapping[str, str]) -> float:
            counted = counted_options(cell.view, cell.region, configuration)
            reaching = {o: v for o, v in configuration.items() if o in counted}
            return fit.level(cell.width_px, reaching) or 0.0

        drawn = [self._draw(cell.view) for _ in range(EXTREMES_OF)]
        return [max(drawn, key=needed), min(drawn, key=needed)]

    def _draw(self, view: View) -> Mapping[str, str]:
        """A valid configuration of the view, all as likely."""
        while True:
            drawn = {
                option: self._random.choice(self._composition.options[option].ids)
                for option in view.options
            }
            try:
                return resolve_view(self._composition, view, drawn)
            except ForbiddenConfiguration:
                continue


def _slope(file_format: Format, tried: Mapping[int, float], target: float) -> float:
    """Points a level between the two qualities nearest to the target, as far as it is believed."""
    if len(tried) < 2:
        return SLOPE
    one, other = sorted(tried, key=lambda quality: abs(tried[quality] - target))[:2]
    apart = level_of(file_format, one) - level_of(file_format, other)
    return min(max((tried[one] - tried[other]) / apart, SLOPES[0]), SLOPES[1])

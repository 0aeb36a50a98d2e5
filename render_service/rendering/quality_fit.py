"""Measured samples → qualities: what a width needs, and what each value of an option adds.

The rule: a value that was seen seldom adds little. Every effect is drawn towards none by a weight
of its own (ridge regression, solved by visiting one effect after the other), so that a few samples
do not write what they cannot know.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from render_service.composition.model import Correction, QualityTable, SizeClass
from render_service.composition.qualities import Picture, size_class

VALUE_WEIGHT: Final = 0.5
"""Samples of no effect that each value is thought to have beside its own."""

CLASS_WEIGHT: Final = 2.0
"""The same for what a value does in one size class and not in the others."""

SWEEPS: Final = 60
"""Visits to every effect; the last ones move none by a tenth of a level."""

CORRECTED_FROM: Final = 1.5
"""Points off the target, measured, from which a configuration gets a correction of its own: three
quarters of what is tolerated."""

_Features = dict[Hashable, list[int]]


class Sample(Struct, frozen=True, kw_only=True):
    """A picture that was measured, and the level it needs.

    Attributes:
        width_px: Its width.
        configuration: Option → value, of those that reach the picture.
        level: At which it meets its target, on the scale of `encoder_quality`.
        slope: Points a level, there.
    """

    width_px: int
    configuration: Mapping[str, str]
    level: float
    slope: float


class Fit:
    """The effects that samples of one picture in one format agree on best."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        """Fit to `samples`, of which there may be none: then nothing is known."""
        self._samples = samples
        self._effects: dict[Hashable, float] = {}
        features = _features(samples)
        # Points count, not levels: a level is worth little where the scale is flat.
        mean = sum(s.slope**2 for s in samples) / max(len(samples), 1)
        weights = [s.slope**2 / mean for s in samples]
        rest = [s.level for s in samples]
        # Widths first: they are drawn nowhere, so they take what all pictures have in common, and
        # values the rest.
        order = sorted(features.items(), key=lambda feature: _drawn(feature[0]))
        for _ in range(SWEEPS):
            for name, members in order:
                held = self._effects.get(name, 0.0)
                weight = sum(weights[i] for i in members)
                pull = sum(weights[i] * rest[i] for i in members)
                step = (pull - _drawn(name) * held) / (weight + _drawn(name))
                self._effects[name] = held + step
                for i in members:
                    rest[i] -= step

    def level(self, width_px: int, configuration: Mapping[str, str]) -> float | None:
        """Return the level that a picture is thought to need; None while no sample is near."""
        widths = [s.width_px for s in self._samples]
        if not widths:
            return None
        nearest = min(widths, key=lambda width: abs(width - width_px))
        size = size_class(width_px)
        return self._effects["width", nearest] + sum(
            self._value(option, value, size) for option, value in configuration.items()
        )

    def table(
        self,
        picture: Picture,
        size: SizeClass,
        widths: Sequence[int],
        options: Mapping[str, Sequence[str]],
        least: float,
    ) -> QualityTable:
        """Return the table of a size class.

        Args:
            picture: What it is of.
            size: The class.
            widths: Every width of the class; each has samples.
            options: Option → its values, of those that reach the picture.
            least: The least quality that is used.
        """
        table = QualityTable(
            view=picture.view.id,
            region=picture.region,
            format=picture.format,
            size=size,
            widths={width: _tenths(self._effects["width", width]) for width in widths},
            offsets={
                option: {value: _tenths(self._value(option, value, size)) for value in values}
                for option, values in options.items()
            },
            corrections=(),
            least=_tenths(least),
        )
        return _corrected(table, [s for s in self._samples if s.width_px in widths], self)

    def _value(self, option: str, value: str, size: SizeClass) -> float:
        effects = self._effects
        return effects.get((option, value), 0.0) + effects.get((option, value, size), 0.0)


def _features(samples: Sequence[Sample]) -> _Features:
    """Effect → the samples that have it."""
    found: _Features = {}
    for index, sample in enumerate(samples):
        size = size_class(sample.width_px)
        names: list[Hashable] = [("width", sample.width_px)]
        for option, value in sample.configuration.items():
            names += [(option, value), (option, value, size)]
        for name in names:
            found.setdefault(name, []).append(index)
    return found


def _drawn(name: Hashable) -> float:
    """How strongly an effect is drawn towards none; a width's is not."""
    if not isinstance(name, tuple) or name[0] == "width":
        return 0.0
    return VALUE_WEIGHT if len(name) == 2 else CLASS_WEIGHT


def _corrected(table: QualityTable, samples: Sequence[Sample], fit: Fit) -> QualityTable:
    """The table, with what was measured where it is off."""
    off: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for sample in samples:
        missing = sample.level - (fit.level(sample.width_px, sample.configuration) or 0.0)
        place = tuple(sample.configuration.items())
        off.setdefault(place, []).append((missing, missing * sample.slope))
    corrections = [
        Correction(
            when={option: (value,) for option, value in place},
            tenths=_tenths(sum(level for level, _ in found) / len(found)),
        )
        for place, found in off.items()
        if abs(sum(points for _, points in found) / len(found)) > CORRECTED_FROM
    ]
    return QualityTable(
        view=table.view,
        region=table.region,
        format=table.format,
        size=table.size,
        widths=table.widths,
        offsets=table.offsets,
        corrections=tuple(corrections),
        least=table.least,
    )


def _tenths(level: float) -> int:
    return round(10 * level)

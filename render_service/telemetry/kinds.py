"""Kinds of instruments: how each counts on the board, and what it says of itself.

Counting costs one look-up of the labels and one or two stores. Labels are given by position, in the
order of the instrument's declaration; past a bound all further series count as one, by `_OTHER`.
"""

from bisect import bisect_left
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from render_service.telemetry.board import BOARD, Board

OTHER: Final = "_OTHER"
"""What a label says that is none of the values it may have, as the semantic conventions spell it
for methods."""

SERIES_MAX: Final = 500
"""Series of one instrument: a quarter of the cardinality limit of OpenTelemetry's SDK, as each is
kept by each process, and several times what any of ours comes to."""


class Kind(StrEnum):
    """How the numbers of an instrument are to be read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Label(Struct, frozen=True, kw_only=True):
    """A label of an instrument.

    Attributes:
        name: As in OpenTelemetry, with dots.
        values: What it may say, in words.
    """

    name: str
    values: str


class Instrument:
    """A named set of series.

    Attributes:
        name: As in OpenTelemetry.
        kind: How its numbers are read.
        unit: In UCUM, as OpenTelemetry has it: `s`, `By`, `{request}`.
        meaning: One sentence.
        labels: What tells its series apart.
        bounds: Upper bounds of a histogram's buckets, without the infinite one.
    """

    kind = Kind.COUNTER

    def __init__(
        self,
        name: str,
        unit: str,
        meaning: str,
        *labels: Label,
        bounds: tuple[float, ...] = (),
        board: Board = BOARD,
    ) -> None:
        self.name, self.unit, self.meaning = name, unit, meaning
        self.labels, self.bounds = labels, bounds
        self._board = board
        self._at: dict[tuple[str, ...], int] = {}

    def at(self, *labels: str) -> int:
        """Return the first cell of the series of `labels`, for who counts at any price."""
        at = self._at.get(labels)
        return self._open(labels) if at is None else at

    def value(self, *labels: str) -> float:
        """Return what this process has counted under `labels`; of a histogram, how often."""
        at = self._at.get(labels)
        cells = self._board.cells
        size = max(1, len(self.bounds) + 1)
        return 0.0 if at is None else float(sum(cells[at : at + size]))

    def _open(self, labels: tuple[str, ...]) -> int:
        if len(labels) != len(self.labels):
            names = ", ".join(label.name for label in self.labels)
            raise TypeError(f"{self.name} has the labels ({names}), given {labels!r}")
        other = (OTHER,) * len(labels)
        if len(self._at) >= SERIES_MAX and labels != other:
            return self.at(*other)
        size = len(self.bounds) + 2 if self.bounds else 1
        lasting = self.kind is not Kind.GAUGE
        at = self._board.open_series(self.name, labels, size, lasting=lasting)
        self._at[labels] = at
        return at


class Counter(Instrument):
    """Only grows."""

    def add(self, amount: float, *labels: str) -> None:
        """Count `amount` more."""
        at = self._at.get(labels)
        self._board.cells[self._open(labels) if at is None else at] += amount

    def reach(self, total: float, *labels: str) -> None:
        """Say what it has come to, for what is counted elsewhere; never less than before."""
        self._board.cells[self.at(*labels)] = total


class Gauge(Instrument):
    """What there is now. Summed over the processes that live."""

    kind = Kind.GAUGE

    def add(self, amount: float, *labels: str) -> None:
        """Let it be `amount` more, or less."""
        at = self._at.get(labels)
        self._board.cells[self._open(labels) if at is None else at] += amount

    def set(self, value: float, *labels: str) -> None:
        """Let it be `value`."""
        self._board.cells[self.at(*labels)] = value


class Histogram(Instrument):
    """How values are spread: cells of buckets, each for itself, the infinite one, and the sum."""

    kind = Kind.HISTOGRAM

    def record(self, value: float, *labels: str) -> None:
        """Count one value."""
        at = self._at.get(labels)
        if at is None:
            at = self._open(labels)
        cells, bounds = self._board.cells, self.bounds
        cells[at + bisect_left(bounds, value)] += 1
        cells[at + len(bounds) + 1] += value


def labelled(instrument: Instrument, labels: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the labels of a series by name, without those that say nothing."""
    for label, value in zip(instrument.labels, labels, strict=True):
        if value:
            yield label.name, value

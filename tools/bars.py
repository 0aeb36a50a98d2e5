"""Bars as SVG: a median each, its quartiles as a whisker, and the goal as a line.

The rule: the same figures give the same bytes on every machine, so that a plot can be held against
what its figures would give. That is why no plotting library draws it: theirs change with versions.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

from msgspec import Struct

WIDTH_PX: Final = 760
_LABELS_PX: Final = 120
_LETTER_PX: Final = 7
"""A letter of 13 px is no wider, on average."""

_VALUES_PX: Final = 90
_ROW_PX: Final = 26
_TOP_PX: Final = 44
_BOTTOM_PX: Final = 14
_BAR_PX: Final = 14


class Bar(Struct, frozen=True, kw_only=True):
    """A bar: `value` long, with a whisker from `low` to `high`."""

    label: str
    value: float
    low: float
    high: float


class Chart(Struct, frozen=True, kw_only=True):
    """Bars of one unit, from top to bottom, and where the goal lies."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    goal: float | None = None


def draw_bars(chart: Chart) -> str:
    """Return the chart as SVG, on white, 760 px wide."""
    high_px = _TOP_PX + _ROW_PX * len(chart.bars) + _BOTTOM_PX
    most = max([bar.high for bar in chart.bars] + [chart.goal or 0.0]) or 1.0
    begin_px = max(_LABELS_PX, 20 + _LETTER_PX * max(len(bar.label) for bar in chart.bars))
    axis = _Axis(begin_px=begin_px, scale=(WIDTH_PX - begin_px - _VALUES_PX) / most)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {high_px}" '
        f'width="{WIDTH_PX}" height="{high_px}" font-family="sans-serif" font-size="13" '
        f'role="img" aria-label="{escape(chart.title)}">',
        f'<rect width="{WIDTH_PX}" height="{high_px}" fill="#fff"/>',
        f'<text x="12" y="24" font-weight="bold">{escape(chart.title)} ({escape(chart.unit)})'
        "</text>",
    ]
    if chart.goal is not None:
        parts += _draw_goal(chart.goal, high_px, axis)
    for number, bar in enumerate(chart.bars):
        parts += _draw_bar(bar, _TOP_PX + _ROW_PX * number, axis)
    return "\n".join([*parts, "</svg>", ""])


def spoken(value: float) -> str:
    """Return `value` with three digits that count, and commas between thousands."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


class _Axis(Struct, frozen=True, kw_only=True):
    """Where bars begin, and pixels for each of the unit."""

    begin_px: int
    scale: float

    def at(self, value: float) -> float:
        """Return where `value` lies."""
        return self.begin_px + self.scale * value


def _draw_bar(bar: Bar, top_px: int, axis: _Axis) -> Sequence[str]:
    middle = top_px + _ROW_PX / 2
    left, right = axis.at(bar.low), axis.at(bar.high)
    parts = [
        f'<text x="{axis.begin_px - 10}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{escape(bar.label)}</text>",
        f'<rect x="{axis.begin_px}" y="{middle - _BAR_PX / 2:.1f}" '
        f'width="{axis.scale * bar.value:.1f}" height="{_BAR_PX}" fill="#4477aa"/>',
        f'<text x="{max(right, axis.at(bar.value)) + 8:.1f}" y="{middle + 4:.1f}" '
        'stroke="#fff" stroke-width="4" paint-order="stroke">'
        f"{spoken(bar.value)}</text>",
    ]
    if bar.high > bar.low:
        parts.append(
            f'<path d="M{left:.1f} {middle:.1f}H{right:.1f}M{left:.1f} {middle - 4:.1f}v8'
            f'M{right:.1f} {middle - 4:.1f}v8" stroke="#222" fill="none"/>'
        )
    return parts


def _draw_goal(goal: float, high_px: int, axis: _Axis) -> Sequence[str]:
    x = axis.at(goal)
    return [
        f'<path d="M{x:.1f} {_TOP_PX - 6}V{high_px - 6}" stroke="#aa3377" stroke-width="2" '
        'stroke-dasharray="5 4"/>',
        f'<text x="{x:.1f}" y="{_TOP_PX - 8}" text-anchor="middle" fill="#aa3377">'
        f"goal {spoken(goal)}</text>",
    ]

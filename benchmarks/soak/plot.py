"""A soak as a picture: memory and counts over the requests answered, each against its first tenth.

Its one rule: every line is drawn as a share of what it was after the first tenth, so that flat is
one height for all and the 5 % are to be seen.
"""

from collections.abc import Sequence
from typing import Final

from benchmarks.soak.census import COUNTED, GROWTH, Sample

_WIDTH, _HEIGHT, _MARGIN, _LEGEND = 960, 420, 56, 150
_LOW, _HIGH = 0.5, 1.5
_COLOURS: Final = {
    "memory_bytes": "#b3261e",
    "files": "#1a5fb4",
    "connections": "#26a269",
    "threads": "#9141ac",
    "tasks": "#c64600",
}


def draw_plot(samples: Sequence[Sample]) -> str:
    """Return an SVG of the samples, the first of which is left out: nothing was warm then."""
    shown = samples[1:]
    warm = shown[max(0, len(shown) // 10 - 1)]
    most = shown[-1].asked
    wide_px = _x(most, most) - _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<rect x="{_x(0, most):.1f}" y="{_y(1 + GROWTH):.1f}" width="{wide_px:.1f}"'
        f' height="{_y(1 - GROWTH) - _y(1 + GROWTH):.1f}" fill="#e6f2e6"/>',
        *_axes(most),
    ]
    for number, name in enumerate(("memory_bytes", *COUNTED)):
        parts += _line(number, name, shown, warm)
    return "\n".join([*parts, "</svg>", ""])


def _axes(most: int) -> list[str]:
    parts = []
    for percent in range(50, 151, 25):
        y = _y(percent / 100)
        parts.append(
            f'<path d="M{_MARGIN} {y:.1f}H{_x(most, most):.1f}" stroke="#ccc" stroke-width="1"/>'
            f'<text x="{_MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>'
        )
    for tenth in range(0, 11, 2):
        x = _x(most * tenth // 10, most)
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _MARGIN / 2:.1f}" text-anchor="middle">'
            f"{most * tenth // 10:,}</text>"
        )
    middle = (_MARGIN + _x(most, most)) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">requests answered</text>'
        f'<text x="{_MARGIN}" y="24">share of what it was after the first tenth '
        f"(band: ± {100 * GROWTH:.0f} %)</text>"
    )
    return parts


def _line(number: int, name: str, shown: Sequence[Sample], warm: Sample) -> list[str]:
    most, base = shown[-1].asked, int(getattr(warm, name)) or 1
    points = " ".join(
        f"{_x(sample.asked, most):.1f},{_y(int(getattr(sample, name)) / base):.1f}"
        for sample in shown
    )
    colour, y = _COLOURS[name], _MARGIN + 22 * number
    label = name.removesuffix("_bytes")
    x = _WIDTH - _LEGEND + 12
    return [
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
        f'<path d="M{x} {y}h22" stroke="{colour}" stroke-width="3"/>'
        f'<text x="{x + 30}" y="{y + 4}">{label}</text>',
    ]


def _x(asked: int, most: int) -> float:
    return _MARGIN + (_WIDTH - _MARGIN - _LEGEND) * asked / most


def _y(share: float) -> float:
    inside = min(max(share, _LOW), _HIGH)
    return _MARGIN + (_HEIGHT - 2 * _MARGIN) * (_HIGH - inside) / (_HIGH - _LOW)

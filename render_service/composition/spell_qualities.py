"""Qualities → `encoding.toml`, laid out for a person who reviews it: a table for a size class.

The rule: what is written here is read back as it was (`parse_qualities.py`). Everything in it is a
number or an id, but for the facts of the measurement.
"""

import json
from collections.abc import Mapping

from render_service.composition.definition import MeasuredDefinition
from render_service.composition.model import QualityTable, SizeClass

_HEAD = """\
#:schema ../../docs/schemas/encoding.schema.json
# Written by `render-service calibrate`, which replaces it whole; explained in docs/calibration.md.
# A quality is that of the width, plus what each value adds. WebP below 75 counts in thirds: 70 is
# the encoder's 60.
schema = 1
"""


def spell_qualities(
    measured: MeasuredDefinition,
    tables: tuple[QualityTable, ...],
    targets: Mapping[SizeClass, float],
) -> str:
    """Return the text of `encoding.toml`.

    Args:
        measured: On what, and how well.
        tables: The qualities.
        targets: Size class → the score they aim at.
    """
    parts = [_HEAD, _measured(measured)]
    parts += [_table(table, targets[table.size]) for table in tables]
    return "\n".join(parts)


def _measured(measured: MeasuredDefinition) -> str:
    lines = [
        "[measured]",
        f"date = {_text(measured.date)}",
        f"metric = {_text(measured.metric)}",
        f"encoders = {_text(measured.encoders)}",
        f"seed = {measured.seed}",
        f"samples = {measured.samples}",
        f"views = {_inline({k: _text(v) for k, v in measured.views.items()})}",
        f"held_out = {measured.held_out}",
    ]
    for key in ("within_2", "above_at_least", "worst"):
        value = getattr(measured, key)
        if value is not None:
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _table(table: QualityTable, target: float) -> str:
    lines = ["[[tables]]", f'view = "{table.view}"']
    if table.region is not None:
        lines.append(f'region = "{table.region}"')
    widths = {str(width): _tenths(level) for width, level in table.widths.items()}
    lines += [
        f'format = "{table.format}"',
        f'size = "{table.size}"',
        f"target = {target:g}",
        f"least = {_tenths(table.least)}",
        f"widths = {_inline(widths)}",
    ]
    for option, steps in table.offsets.items():
        spelled = {value: _tenths(step) for value, step in steps.items()}
        lines.append(f"offsets.{option} = {_inline(spelled)}")
    if table.corrections:
        lines.append("corrections = [")
        for correction in table.corrections:
            when = {
                option: f'"{values[0]}"' if len(values) == 1 else json.dumps(list(values))
                for option, values in correction.when.items()
            }
            added = {"when": _inline(when), "add": _tenths(correction.tenths)}
            lines.append(f"  {_inline(added)},")
        lines.append("]")
    return "\n".join(lines) + "\n"


def _inline(pairs: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"


def _text(text: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _tenths(tenths: int) -> str:
    return f"{tenths / 10:.1f}"

"""`settings`: every setting and its value now, as a table."""

import msgspec

from render_service.settings import Settings
from render_service.settings_table import describe


def list_settings(settings: Settings) -> int:
    """Print every setting, its value now, range, default and meaning; return the exit status."""
    rows = [("variable", "value", "unit", "range", "default", "meaning")]
    rows += [msgspec.structs.astuple(row) for row in describe(settings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0

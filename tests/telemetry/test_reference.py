"""The documentation of what is to be seen, against the code."""

import re
from pathlib import Path

from render_service.telemetry.instruments import TABLE

ROOT = Path(__file__).parents[2]


def test_every_instrument_has_a_line_in_the_documentation():
    page = (ROOT / "docs" / "metrics.md").read_text()

    assert [i.name for i in TABLE if f"| `{i.name}`<br>" not in page] == []


def test_the_table_holds_every_instrument_of_its_module():
    module = (ROOT / "render_service" / "telemetry" / "instruments.py").read_text()
    declared = r"^\w+: Final = (?:Counter|Gauge|Histogram)\(\s*\"([\w.]+)\""
    made = set(re.findall(declared, module, re.MULTILINE))

    assert made == {instrument.name for instrument in TABLE}


def test_names_units_and_labels_are_unique_and_as_the_conventions_spell_them():
    assert len({instrument.name for instrument in TABLE}) == len(TABLE)
    for instrument in TABLE:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", instrument.name)
        assert re.fullmatch(r"s|By|\{[a-z]+\}", instrument.unit)
        for label in instrument.labels:
            assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", label.name)

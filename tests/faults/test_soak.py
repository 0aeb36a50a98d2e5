"""The soak in seconds: that it runs, counts what it says, and sees what grows."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.soak.census import COUNTED, SLACK, Sample, judge
from tests.servers import valkey_program

ROOT = Path(__file__).parents[2]

WARM = Sample(
    asked=1,
    rendered=1,
    memory_bytes=100_000_000,
    private_bytes=1,
    files=50,
    connections=20,
    threads=20,
    tasks=4,
    objects=1,
)


def test_a_soak_of_seconds_draws_each_picture_once_and_writes_its_figures(tmp_path):
    valkey_program()
    words = ["--renders", "40", "--hits", "400", "--samples", "10"]
    files = ["--json", tmp_path / "soak.json", "--plot", tmp_path / "soak.svg"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *words, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # 1 too: nothing is warm after four pictures.
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    figures = json.loads((tmp_path / "soak.json").read_text())
    last = figures["samples"][-1]
    assert (last["asked"], last["rendered"]) == (440, 40)
    assert not any("were drawn" in verdict for verdict in figures["verdicts"])
    assert ET.parse(tmp_path / "soak.svg").getroot().tag.endswith("svg")  # noqa: S314  # our own


def test_what_is_flat_is_not_complained_about():
    assert judge([WARM] * 11, processes=2) == []


def test_what_was_there_before_the_service_was_warm_does_not_count():
    assert judge([replace(WARM, memory_bytes=1), *[WARM] * 10], processes=2) == []


def test_memory_may_grow_by_a_twentieth_and_no_more():
    grown = replace(WARM, memory_bytes=105_000_000)
    assert judge([*[WARM] * 10, grown], processes=2) == []
    (complaint,) = judge([*[WARM] * 10, replace(grown, memory_bytes=105_100_000)], processes=2)
    assert "5.1 %" in complaint


@pytest.mark.parametrize("name", COUNTED)
def test_every_count_that_grows_is_named(name):
    grown = replace(WARM, **{name: getattr(WARM, name) + 2 * SLACK + 1})
    (complaint,) = judge([*[WARM] * 10, grown], processes=2)
    assert name in complaint

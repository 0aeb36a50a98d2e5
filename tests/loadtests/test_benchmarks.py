"""The benchmarks that shop: what they count, and that they run end to end, in seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.arrivals import Answered, Phase
from benchmarks.asking import Answer
from benchmarks.replay import Outcome, clicks_of, held_percent, there_percent
from benchmarks.sessions import Look
from benchmarks.used import Used
from benchmarks.zipf import goodput, in_time, of_kind, p99_ms
from loadtests.shoppers import Kind
from tests.servers import valkey_program

ROOT = Path(__file__).parents[2]


def look(source, kind=Kind.CLICK):
    return Look(kind=kind, source=source, small_held=0, small=0, latency_ms=1.0, number=0)


def test_a_picture_in_the_browser_is_there_and_was_not_asked_for():
    looks = [look("browser"), look("held"), look("waited"), look("refused")]
    assert there_percent(looks) == 50
    assert held_percent(looks) == pytest.approx(100 / 3)


def test_opening_and_turning_are_no_clicks():
    looks = tuple(look("held", kind) for kind in Kind)
    outcome = Outcome(looks=looks, took_s=1.0, used=Used(renders=0, processor_s=0.0))
    assert [found.kind for found in clicks_of(outcome)] == [Kind.CLICK, Kind.TAKE]


@pytest.mark.parametrize(
    ("status", "was_held"),
    [
        ("render-service; hit; detail=memory", True),
        ("render-service; hit", True),
        ("render-service; fwd=miss; stored; detail=render", False),
        ("render-service; fwd=miss; collapsed; detail=render", False),
        ("hit; fwd=miss", False),
        ("", False),
    ],
)
def test_a_hit_is_what_cache_status_says(status, was_held):
    assert Answer(200, {"cache-status": status}, b"").was_held is was_held


def answered(kind="large, drawn", cost_ms=100.0, status=200, latency_ms=50.0):
    return Answered(kind=kind, cost_ms=cost_ms, status=status, latency_ms=latency_ms)


def test_goodput_counts_what_was_drawn_in_time():
    answers = (
        answered(),
        answered(latency_ms=10_001.0),
        answered(status=503, latency_ms=1.0),
        answered(kind="hit", cost_ms=0.0),
    )
    phase = Phase(answers=answers, lasted_s=2.0, generator=0.1)
    assert goodput(phase, deadline_s=10.0) == 50.0
    assert len(in_time(answers, deadline_s=10.0)) == 2
    assert len(of_kind(phase, "large, drawn")) == 2


def test_a_percentile_of_nothing_is_nothing():
    assert p99_ms([]) == p99_ms([answered()]) == 0.0
    assert p99_ms([answered(latency_ms=float(ms)) for ms in range(101)]) == 99.0


def run(module, *words):
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_replay_of_seconds_counts_every_click(tmp_path):
    valkey_program()
    file = tmp_path / "replay.json"
    # Of this seed the two visits last 4 s.
    words = ["--sessions", 2, "--seed", 21, "--json", file, "--ways", "without"]
    run("benchmarks.replay", *words)
    figures = json.loads(file.read_text())
    (row,) = figures["rows"]
    assert row["way"] == "without"
    assert row["clicks"] >= 2
    assert 0 <= row["already there, %"] <= 100
    assert figures["settings"]["sessions"] == 2


def test_a_zipf_mix_of_seconds_measures_every_phase_and_class(tmp_path):
    file = tmp_path / "zipf.json"
    run("benchmarks.zipf", "--rounds", 1, "--seconds", 3, "--warm-s", 1, "--json", file)
    figures = json.loads(file.read_text())
    assert len(figures["rows"]) == 9
    assert sum(row["other"] for row in figures["rows"]) == 0
    assert len(figures["verdicts"]) == 2

"""The alerts of deploy/observability, by Prometheus' own tool, and against our table."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from render_service.telemetry.exposition import prometheus_label, prometheus_name
from render_service.telemetry.instruments import TABLE
from render_service.telemetry.kinds import Kind
from tests.servers import missing

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
SUFFIXES = {
    Kind.COUNTER: ("_total",),
    Kind.GAUGE: ("",),
    Kind.HISTOGRAM: ("_bucket", "_count", "_sum"),
}


@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_takes_the_files_and_every_alert_fires_when_it_should(words):
    promtool = shutil.which("promtool") or missing("no promtool: apt-get install prometheus")

    checked = subprocess.run(
        [promtool, *words], cwd=FOLDER, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_metric_and_label_of_the_alerts_is_one_that_there_is():
    rules = (FOLDER / "alerts.yml").read_text()
    metrics = {prometheus_name(i) + suffix for i in TABLE for suffix in SUFFIXES[i.kind]}
    labels = {prometheus_label(label.name) for i in TABLE for label in i.labels}

    named = set(re.findall(r"\b(?:http_server|render_service|process)_\w+", rules))
    spoken_of = {prometheus_name(i) for i in TABLE}

    assert named - metrics - labels - spoken_of == set()


def test_every_alert_is_tested_to_fire():
    alerts = set(re.findall(r"- alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
    fired = set(
        re.findall(
            r"- alertname: (\w+)\n\s+eval_time: \w+\n\s+exp_alerts:\n",
            (FOLDER / "alerts.test.yml").read_text(),
        )
    )

    assert fired == alerts

"""`make load`, short, against real services: honest ones, and ones that get a thing wrong."""

import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from loadtests.asking import NotThisMachine, check_loopback
from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2]
SCENARIOS = [
    ("shoppers", "steady"),
    ("fill", "steady"),
    ("herd", "spike"),
    ("crawler", "ramp"),
    ("attack", "steady"),
]
ROWS = {
    "shoppers": "picture large",
    "fill": "picture small",
    "herd": "manifest",
    "crawler": "picture, percent-encoded",
    "attack": "attack: zoom unsigned",
}
LYING = "from tests.loadtests.liar import serve; serve()"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="module")
def server(catalogue, tmp_path_factory):
    with run_server(catalogue, tmp_path_factory.mktemp("server")) as server:
        yield server


def load(*words, report=None):
    python = ROOT / ".venv-load" / "bin" / "python"
    if not python.exists():
        missing("no environment of load tests: make env-load")
    given = [*words, *(["--report", report] if report else [])]
    return subprocess.run(
        [python, "-m", "loadtests", *map(str, given)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def short(server, scenario, report, *words):
    return load(
        *("--url", server.url, "--scenario", scenario, "--time", "4s", "--users", "6", *words),
        report=report,
    )


@pytest.mark.parametrize(("scenario", "shape"), SCENARIOS)
def test_nothing_is_broken_whoever_comes_in_whatever_shape(server, scenario, shape, tmp_path):
    report = tmp_path / "deep" / "report.html"
    done = short(server, scenario, report, "--shape", shape)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Nothing was broken." in done.stdout
    asked = re.search(r"^(\d+) requests", done.stdout, re.MULTILINE)
    assert int(asked[1]) > 0
    # Verdict and table are in the report, too; and attackers have nothing drawn.
    html = report.read_text()
    assert f"{scenario}, {shape}" in html
    assert asked[0] in html
    assert ROWS[scenario] in html
    if scenario == "attack":
        assert "drawn meanwhile: 0." in done.stdout


def test_everybody_at_once_breaks_nothing(server, tmp_path):
    done = short(server, "mixed", tmp_path / "report.html")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_that_is_stopped_says_so_and_leaves_no_service():
    python = ROOT / ".venv-load" / "bin" / "python"
    if not python.exists():
        missing("no environment of load tests: make env-load")
    process = subprocess.Popen(
        [python, "-m", "loadtests", "--time", "10m"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = wait_for(lambda: serving_children(process.pid))
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Stopped before its end" in said
    assert "Traceback" not in said
    assert not any(child.is_running() for child in service)


def serving_children(pid):
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if "render_service" in child.cmdline()]


def wait_for(find):
    while not (found := find()):
        time.sleep(0.1)
    return found


def test_a_run_ends_after_its_requests(server, tmp_path):
    words = ["--url", server.url, "--scenario", "attack", "--time", "10m", "--requests", "50"]
    done = load(*words, report=tmp_path / "report.html")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("lie", "scenario", "words"),
    [
        ("breaks_down", "herd", "answered 500"),
        ("sends_away_without_a_word", "herd", "Retry-After ''"),
        ("has_other_bytes_each_time", "herd", "other bytes than before"),
        ("has_an_etag_for_each_asker", "herd", "had"),
        ("sends_half_a_picture", "herd", "does not decode"),
        ("varies", "herd", "vary"),
        ("says_not_found_in_html", "attack", "text/html"),
        ("is_content_with_anything", "attack", "right is"),
        ("draws_for_attackers", "attack", "render_service_renders_total"),
    ],
)
def test_a_service_that_lies_is_found_out(lie, scenario, words, catalogue, tmp_path, monkeypatch):
    monkeypatch.setenv("LIE", lie)
    with run_server(catalogue, tmp_path, main=LYING) as server:
        done = short(server, scenario, tmp_path / "report.html")
    assert done.returncode == 1, done.stdout + done.stderr
    broken = done.stdout.partition("Broken:")[2]
    assert words in broken, done.stdout
    assert words.replace("'", "&#x27;") in (tmp_path / "report.html").read_text()
    if lie != "draws_for_attackers":
        assert re.search(r"(GET|POST) /\S+", broken)


def test_another_machine_is_refused():
    done = load("--url", "http://192.0.2.1:80")
    assert done.returncode == 2
    assert "stays on this machine" in done.stderr


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "https://localhost", "http://127.0.0.1.example.com", "http:///", "x"],
)
def test_only_an_address_of_this_machine_is_one(url):
    with pytest.raises(NotThisMachine, match="stays on this machine"):
        check_loopback(url)


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:1"])
def test_every_address_of_this_machine_is_one(url):
    check_loopback(url)


def test_a_service_that_is_not_there_is_said_in_a_sentence():
    done = load("--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert "does not list compositions" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scenario", "zombies"), "shoppers"),
        (("--time", "soon"), "30s, 5m or 1h30m"),
        (("--users", "0"), "1 to 1,000"),
    ],
)
def test_words_that_are_wrong_are_told_what_is_right(words, said):
    done = load(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_service_is_started_where_none_is_named(tmp_path):
    done = load("--scenario", "attack", "--time", "3s", "--users", "2", report=tmp_path / "r.html")
    assert done.returncode == 0, done.stdout + done.stderr

"""`make load`, short, against real services: honest ones, and ones that get a thing wrong."""

import re
import subprocess
from pathlib import Path

import pytest

from loadtests.asking import NotThisMachine, check_loopback
from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.servers import free_port, missing

ROOT = Path(__file__).parents[2]
SCENARIOS = ("shoppers", "fill", "herd", "crawler", "attack", "mixed")
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


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_broken_whoever_comes(server, scenario, tmp_path):
    done = short(server, scenario, tmp_path / "report.html")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was broken." in done.stdout
    asked = re.search(r"^(\d+) requests", done.stdout, re.MULTILINE)
    assert int(asked[1]) > 0
    assert done.stderr == ""


@pytest.mark.parametrize("shape", ["ramp", "spike"])
def test_a_shape_is_chosen_by_name(server, shape, tmp_path):
    done = short(server, "herd", tmp_path / "report.html", "--shape", shape)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"herd, {shape}" in (tmp_path / "report.html").read_text()


def test_the_report_has_the_verdict_and_the_table(server, tmp_path):
    short(server, "crawler", tmp_path / "deep" / "report.html")
    html = (tmp_path / "deep" / "report.html").read_text()
    assert "Nothing was broken." in html
    assert "picture, percent-encoded" in html


def test_attackers_have_nothing_drawn(server, tmp_path):
    done = short(server, "attack", tmp_path / "report.html")
    assert "drawn meanwhile: 0." in done.stdout


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
        (("--users", "0"), "1 to 10,000"),
    ],
)
def test_words_that_are_wrong_are_told_what_is_right(words, said):
    done = load(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_service_is_started_where_none_is_named(tmp_path):
    done = load("--scenario", "attack", "--time", "3s", "--users", "2", report=tmp_path / "r.html")
    assert done.returncode == 0, done.stdout + done.stderr

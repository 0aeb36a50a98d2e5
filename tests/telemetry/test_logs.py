"""Log lines, of formatters and of a real server."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from render_service.telemetry.logs import SELDOM_S, JsonLines, Seldom, TextLines, masked_path
from render_service.telemetry.spans import TRACING
from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.telemetry.scrapes import picture_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}
HEADERS = [(b"traceparent", CALLER["traceparent"].encode())]


def record(message, *values, error=None, **fields):
    raised = (type(error), error, error.__traceback__) if error else None
    found = logging.LogRecord("tests", logging.ERROR, __file__, 1, message, values, raised)
    found.__dict__.update(fields)
    return found


def lines_of(server):
    return [json.loads(line) for line in server.log.read_text().splitlines()]


@pytest.fixture
def broken(tmp_path):
    """A catalogue whose layer file of one stone goes missing once the server has read it."""
    return write_catalogue(tmp_path / "catalogue")


def test_a_json_line_has_the_fields_of_the_event():
    line = json.loads(JsonLines().format(record("%s went", "it", incident="7", size=3)))

    assert (line["message"], line["level"], line["logger"]) == ("it went", "error", "tests")
    assert (line["incident"], line["size"]) == ("7", 3)


def test_a_time_is_utc_as_rfc_3339_has_it():
    time = json.loads(JsonLines().format(record("now")))["time"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_field_never_hides_what_every_line_has():
    line = json.loads(JsonLines().format(record("real", time="forged", level="debug")))

    assert line["time"] != "forged"
    assert line["level"] == "error"


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_what_a_user_wrote_cannot_begin_a_line_or_move_the_cursor(formatter):
    text = formatter.format(record("at %s", "x\nERROR forged\r\x1b[2J"))

    assert not {"\n", "\r", "\x1b"} & set(text)


def test_a_value_that_json_has_no_word_for_is_written_as_text():
    assert json.loads(JsonLines().format(record("x", odd={1}.union)))["odd"]


def test_an_exception_is_told_in_fields():
    try:
        raise ValueError("no")
    except ValueError as error:
        line = json.loads(JsonLines().format(record("x", error=error)))

    assert (line["exception.type"], line["exception.message"]) == ("ValueError", "no")
    assert "test_logs.py" in line["exception.stacktrace"]


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_a_line_within_a_request_names_its_trace(formatter):
    with TRACING.request(HEADERS, drawn=None):
        text = formatter.format(record("within"))

    assert TRACE in text
    assert TRACE not in formatter.format(record("without"))


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        ("/r/ring/hero/0123456789/metal=gold/160.webp", "/r/ring/hero/0123456789/…/160.webp"),
        ("/r/ring/hero/0123456789/metal%3Dgold/160.webp", "/r/ring/hero/0123456789/…/160.webp"),
        ("/v1/compositions/ring", "/v1/compositions/ring"),
        ("/d/" + "t" * 43 + "/hero/-/160.webp", "/d/…/hero/-/160.webp"),
        ("/" + "t" * 65, "/…"),
        ("/a" * 500, "/a" * 100),
    ],
)
def test_a_path_is_written_without_what_was_chosen(path, masked):
    assert masked_path(path) == masked


def test_trouble_with_a_collector_is_told_once_a_minute():
    seldom = Seldom()
    found = record("export failed")
    found.name = "opentelemetry.exporter"

    told = [seldom.filter(found) for _ in range(3)]
    found.created += SELDOM_S

    assert told == [True, False, False]
    assert seldom.filter(found)
    assert all(seldom.filter(record("ours")) for _ in range(3))


def test_every_line_of_a_server_is_json_uvicorns_own_too(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, workers=2, log_format="json", graceful_stop_s=1) as server:
        httpx.get(server.url + "/livez")
        server.stop()

    lines = lines_of(server)
    assert {"uvicorn.error"} <= {line["logger"] for line in lines}
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


def test_lines_for_people_are_not_json(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, graceful_stop_s=1) as server:
        server.stop()

    lines = server.log.read_text().splitlines()
    assert all(re.match(r"\d{4}-\S+Z [A-Z]+ [a-z_.]+: \S", line) for line in lines), lines


def test_an_incident_is_one_line_with_its_number_and_the_trace(broken, tmp_path):
    with run_server(broken, tmp_path, log_format="json", graceful_stop_s=1, layers_max=1) as server:
        answer = httpx.get(server.url + picture_of(server.url), headers=CALLER)
        server.stop()

    assert answer.status_code == 500
    (line,) = [line for line in lines_of(server) if "incident" in line]
    assert line["incident"] == answer.json()["incident"]
    assert line["trace_id"] == TRACE
    assert line["url.path"].endswith("/…/160.webp")
    assert "gold" not in line["message"]


def test_a_layer_file_that_is_gone_is_logged_with_the_trace(broken, tmp_path):
    with run_server(broken, tmp_path, log_format="json", graceful_stop_s=1) as server:
        path = picture_of(server.url, width=320)
        (broken / "ring" / "stone-sapphire.png").unlink()
        answer = httpx.get(server.url + path.replace("ruby", "sapphire"), headers=CALLER)
        server.stop()

    assert answer.status_code == 502
    (line,) = [line for line in lines_of(server) if line.get("problem") == "asset-missing"]
    assert line["trace_id"] == TRACE


def test_requests_are_logged_where_the_setting_says_so(catalogue, tmp_path):
    settings = {"log_format": "json", "access_log": "all", "graceful_stop_s": 1}
    with run_server(catalogue, tmp_path, **settings) as server:
        path = picture_of(server.url)
        for _ in range(3):
            httpx.get(server.url + path, headers={"authorization": "secret-token"})
        httpx.get(server.url + "/img/ring/hero/160.webp?metal=silver")
        server.stop()

    accesses = [line for line in lines_of(server) if line["logger"] == "render_service.access"]
    pictures = [line for line in accesses if line["url.path"].startswith("/r/")]
    assert [line["outcome"] for line in pictures] == ["200"] * 3
    assert all(line["trace_id"] for line in accesses)
    for word in ("gold", "silver", "secret-token"):
        assert word not in server.log.read_text()


def test_only_failures_are_logged_where_the_setting_says_so(broken, tmp_path):
    settings = {"log_format": "json", "access_log": "failed", "layers_max": 1}
    with run_server(broken, tmp_path, graceful_stop_s=1, **settings) as server:
        httpx.get(server.url + picture_of(server.url))
        httpx.get(server.url + "/nothing")
        server.stop()

    accesses = [line for line in lines_of(server) if line["logger"] == "render_service.access"]
    assert [line["outcome"] for line in accesses] == ["500"]


def test_no_request_is_logged_by_default(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, log_format="json", graceful_stop_s=1) as server:
        httpx.get(server.url + picture_of(server.url))
        server.stop()

    assert [line for line in lines_of(server) if "access" in line["logger"]] == []

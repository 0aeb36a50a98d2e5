"""Traces of a real server, as a real collector receives them."""

import asyncio
import os
import signal
import time

import httpx
import pytest

from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.servers import wait_until
from tests.telemetry.collector import attributes, run_collector
from tests.telemetry.scrapes import picture_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}
REQUEST = "GET /r/{composition}/{view}/{version}/{configuration}/{width}.{ext}"
STAGES = ["plan", "memory", "flight", "look up", "turn", "queue", "fetch", "compose", "encode"]


@pytest.fixture(scope="module")
def collecting():
    with run_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(catalogue, tmp_path_factory, collecting):
    """A server that traces what its callers want traced, and nothing by chance."""
    folder = tmp_path_factory.mktemp("traced")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        settings = {
            "otlp_endpoint": collecting.url,
            "otlp_interval_s": 0.2,
            "trace_ratio": 0,
            "trace_forced_per_s": 1000,
        }
        with run_server(catalogue, folder, **settings) as server:
            yield server


@pytest.fixture
def received(collecting):
    collecting.spans.clear()
    return collecting


def of_trace(collector, trace):
    return [span for span in collector.spans if span.trace_id.hex() == trace]


def test_a_render_has_a_span_for_every_stage(traced, received):
    httpx.get(traced.url + picture_of(traced.url, metal="silver"), headers=SAMPLED)

    received.await_span(REQUEST)
    received.await_span("put")
    names = [span.name for span in of_trace(received, TRACE)]
    assert [stage for stage in STAGES if stage not in names] == []


def test_stages_lie_within_their_request(traced, received):
    httpx.get(traced.url + picture_of(traced.url, width=320), headers=SAMPLED)

    (request,) = received.await_span(REQUEST)
    for stage in ("plan", "flight", "queue", "compose", "encode"):
        (span,) = received.await_span(stage)
        # A millisecond for two clocks: stages that are over are noted by another one.
        assert request.start_time_unix_nano - 1_000_000 <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= request.end_time_unix_nano + 1_000_000


def test_the_caller_is_the_parent(traced, received):
    httpx.get(traced.url + picture_of(traced.url), headers=SAMPLED)

    (request,) = received.await_span(REQUEST)
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, "00f067aa0ba902b7")


def test_a_hit_that_is_traced_is_served_as_any(traced, received):
    path = picture_of(traced.url, width=240)
    first = httpx.get(traced.url + path)

    hit = httpx.get(traced.url + path, headers=SAMPLED)

    received.await_span(REQUEST)
    assert hit.content == first.content
    assert hit.headers["cache-status"] == "render-service; hit; detail=memory"


def test_a_caller_that_samples_nothing_is_followed(traced, received):
    path = picture_of(traced.url, extension="png")
    httpx.get(traced.url + path, headers=UNSAMPLED)

    httpx.get(traced.url + "/livez", headers=SAMPLED)

    received.await_span("GET /livez")
    assert received.named(REQUEST) == []


@pytest.mark.parametrize(
    "header", ["", "00-0-0-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", "ÿ" * 55, "0" * 4000]
)
def test_a_traceparent_that_is_none_is_ignored(traced, received, header):
    answer = httpx.get(traced.url + "/livez", headers={"traceparent": header.encode("latin-1")})
    httpx.get(traced.url + "/startupz", headers=SAMPLED)

    received.await_span("GET /startupz")
    assert answer.status_code == 200
    assert received.named("GET /livez") == []


def test_a_span_says_what_the_conventions_want_and_not_what_was_chosen(traced, received):
    httpx.get(traced.url + picture_of(traced.url, extension="jpg"), headers=SAMPLED)

    (request,) = received.await_span(REQUEST)
    said = attributes(request)
    assert said["http.request.method"] == "GET"
    assert said["http.response.status_code"] == 200
    assert said["url.path"].endswith("/…/160.jpg")
    assert "gold" not in str([attributes(span) for span in received.spans])


def test_an_error_says_so_without_the_words_of_the_user(traced, received):
    httpx.get(traced.url + "/r/ring/hero/0123456789/engraving=Ada/160.webp", headers=SAMPLED)

    received.await_span(REQUEST)
    (plan,) = received.named("plan")
    assert attributes(plan)["error.type"] == "MalformedPath"
    assert "Ada" not in str(received.spans)


def test_storing_behind_the_answer_is_a_linked_trace_of_its_own(traced, received):
    httpx.get(traced.url + picture_of(traced.url, width=320, metal="silver"), headers=SAMPLED)

    (store,) = received.await_span("store")
    (flight,) = received.await_span("flight")
    (put,) = received.await_span("put")
    assert store.parent_span_id == b""
    assert [link.span_id for link in store.links] == [flight.span_id]
    assert put.parent_span_id == store.span_id


async def test_a_follower_is_linked_to_the_flight_and_not_its_child(
    tmp_path, monkeypatch, received
):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    large = write_catalogue(tmp_path / "catalogue", scale=8)
    settings = {"otlp_endpoint": received.url, "trace_ratio": 1, "file_tier_bytes": 0}
    with run_server(large, tmp_path, **settings) as server:
        path = await asyncio.to_thread(picture_of, server.url, 2048, "gold", "avif")
        async with httpx.AsyncClient(timeout=60) as client:
            await asyncio.gather(*(client.get(server.url + path) for _ in range(4)))
        followers = await asyncio.to_thread(received.await_span, "follow", 3)
        (flight,) = await asyncio.to_thread(received.await_span, "flight")

    for follower in followers:
        assert [link.span_id for link in follower.links] == [flight.span_id]
        assert follower.trace_id != flight.trace_id


def test_metrics_reach_the_collector_by_their_names(traced, received):
    httpx.get(traced.url + picture_of(traced.url))

    def duration():
        for found in received.metrics.values():
            if "http.server.request.duration" in found:
                return found["http.server.request.duration"]
        return None

    wait_until(duration, lambda: str(received.metrics))
    points = duration().histogram.data_points
    routes = {attributes(point)["http.route"] for point in points}
    assert "/readyz" in routes
    assert all(sum(point.bucket_counts) == point.count for point in points)
    assert not any(point.HasField("min") or point.HasField("max") for point in points)
    assert received.services == {"render-service"}


def test_what_waits_is_sent_when_the_server_stops(catalogue, tmp_path, collector):
    settings = {"otlp_endpoint": collector.url, "trace_ratio": 1, "graceful_stop_s": 1}
    with run_server(catalogue, tmp_path, **settings) as server:
        httpx.get(server.url + "/v1/compositions")
        server.stop()

        assert len(collector.named("GET /v1/compositions")) == 1


def test_no_more_is_traced_for_callers_than_the_setting_bounds(catalogue, tmp_path, collector):
    settings = {
        "otlp_endpoint": collector.url,
        "trace_ratio": 0,
        "trace_forced_per_s": 2,
        "graceful_stop_s": 1,
    }
    with run_server(catalogue, tmp_path, **settings) as server, httpx.Client() as client:
        began_s = time.monotonic()
        for _ in range(100):
            client.get(server.url + "/livez", headers=SAMPLED)
        took_s = time.monotonic() - began_s
        server.stop()

    # A burst of a second's worth, and what came in since; the caller's trace is kept in both.
    assert 2 <= len(collector.named("GET /livez")) <= 2 + 2 * took_s + 1


@pytest.mark.parametrize("fault", ["away", "silent"])
def test_a_collector_that_is_gone_breaks_no_request_and_no_stop(
    catalogue, tmp_path, collector, fault, monkeypatch
):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    url = collector.url
    if fault == "silent":
        collector.silent.set()
    else:
        url = "http://127.0.0.1:9"
    settings = {"otlp_endpoint": url, "otlp_interval_s": 0.1, "trace_ratio": 1}
    with run_server(catalogue, tmp_path, graceful_stop_s=1, **settings) as server:
        path = picture_of(server.url)
        with httpx.Client() as client:
            statuses = {client.get(server.url + path).status_code for _ in range(100)}
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)

    assert statuses == {200}
    # A line for each span that is lost would be a flood of its own.
    assert server.log.read_text().count("\n") < 60


def test_standard_variables_reach_the_exporter(catalogue, tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "jewels")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    assert "RENDER_OTLP_ENDPOINT" not in os.environ

    with run_server(catalogue, tmp_path, trace_ratio=1, graceful_stop_s=1) as server:
        server.stop()

    assert collector.services == {"jewels"}

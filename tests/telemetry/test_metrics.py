"""`/metrics` of real servers of several processes, read by Prometheus' own parser and linter."""

import asyncio
import re
import shutil
import signal
import subprocess

import httpx
import psutil
import pytest

from render_service.telemetry.exposition import prometheus_label, prometheus_name
from render_service.telemetry.instruments import TABLE
from render_service.telemetry.kinds import SERIES_MAX, Kind
from tests.http.server import run_server
from tests.servers import free_port, missing, wait_until
from tests.telemetry.scrapes import DURATION_COUNT, Scraped, picture_of, scrape

WORKERS = 3
LIVEZ = {"http_route": "/livez", "http_response_status_code": "200"}
ASKED_FOR = re.compile(r"[0-9a-f]{10}|\b(metal|gold|silver|ring|ruby|hero|Ada)\b|[?%]")


@pytest.fixture(scope="module")
def several(catalogue, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    with run_server(catalogue, folder, workers=WORKERS, graceful_stop_s=1) as server:
        wait_until(
            lambda: scrape(server.url).total("render_service_workers") == WORKERS,
            lambda: scrape(server.url).text,
        )
        yield server


@pytest.fixture(scope="module")
def after_a_mixed_load(several):
    """What is scraped after all kinds of requests, hostile ones among them."""
    with httpx.Client(base_url=several.url) as client:
        path = picture_of(several.url)
        for _ in range(5):
            client.get(path)
        for query in ("?a=1", "?secret-token=1"):
            client.get(path + query)
        client.get(path, headers={"if-none-match": "*"})
        client.get(path, headers={"range": "bytes=0-9"})
        client.head(path)
        client.get("/img/ring/hero/200.auto?metal=silver")
        client.get("/v1/compositions/ring/explain?view=hero&gem=ruby")
        client.post("/v1/compositions/ring/resolve", json={"selection": {"engraving": "Ada"}})
        for number in range(30):
            client.get(f"/nothing/{number}")
            client.get(f"/r/ring/hero/{number}/x/1.webp")
            client.get(f"/v1/compositions/unknown-{number}")
            client.request(f"METHOD{number}", "/livez")
        client.request("PATCH", "/v1/compositions")
    return scrape(several.url)


def ask_each_alone(server, path, requests):
    """Each on a connection of its own, so that the kernel deals them out to all processes."""

    async def ask_all():
        async with httpx.AsyncClient(headers={"connection": "close"}) as client:
            for begin in range(0, requests, 20):
                count = min(20, requests - begin)
                answers = await asyncio.gather(
                    *(client.get(server.url + path) for _ in range(count))
                )
                assert {answer.status_code for answer in answers} == {200}

    asyncio.run(ask_all())


def worker_processes(server):
    return [
        child
        for child in psutil.Process(server.process.pid).children()
        if "resource_tracker" not in " ".join(child.cmdline())
    ]


def test_requests_to_several_processes_add_up(several):
    before = scrape(several.url).total(DURATION_COUNT, **LIVEZ)

    ask_each_alone(several, "/livez", 90)

    assert scrape(several.url).total(DURATION_COUNT, **LIVEZ) - before == 90


def test_whichever_process_is_asked_says_the_same(several):
    ask_each_alone(several, "/livez", 30)

    counts = {scrape(several.url).total(DURATION_COUNT, **LIVEZ) for _ in range(3 * WORKERS)}

    assert len(counts) == 1


def test_hits_and_renders_add_up_too(several):
    path = picture_of(several.url, width=240)
    before = scrape(several.url)

    ask_each_alone(several, path, 60)

    after = scrape(several.url)
    route = {"http_route": "/r/{composition}/{view}/{version}/{configuration}/{width}.{ext}"}
    assert after.total(DURATION_COUNT, **route) - before.total(DURATION_COUNT, **route) == 60
    size = len(httpx.get(several.url + path).content)
    sent = "render_service_http_sent_bytes_total"
    assert after.total(sent, **route) - before.total(sent, **route) == 60 * size
    lookups, memory = "render_service_cache_lookups_total", {"render_service_tier": "memory"}
    assert after.total(lookups, **memory) - before.total(lookups, **memory) == 60


def test_a_process_that_is_killed_and_replaced_takes_no_count_with_it(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, workers=WORKERS, graceful_stop_s=1) as server:
        ask_each_alone(server, "/livez", 60)
        before = scrape(server.url)
        victim = worker_processes(server)[0]

        victim.kill()
        wait_until(
            lambda: scrape(server.url).total("render_service_workers_ended_total") == 1,
            lambda: scrape(server.url).text,
        )
        between = scrape(server.url)
        wait_until(
            lambda: scrape(server.url).total("render_service_workers") == WORKERS,
            lambda: scrape(server.url).text,
        )
        ask_each_alone(server, "/livez", 60)

        after = scrape(server.url)
        counts = [found.total(DURATION_COUNT, **LIVEZ) for found in (before, between, after)]
        assert counts == [60, 60, 120]
        assert after.total("http_server_active_requests") == 1
        assert falls(before, after) == []


def falls(before, after):
    """Series that only grow, and did not."""
    lasting = {
        sample.name
        for family in before.families
        if family.type in ("counter", "histogram")
        for sample in family.samples
    }
    return [
        sample
        for sample in before.samples
        if sample.name in lasting and after.total(sample.name, **sample.labels) < sample.value
    ]


def test_a_process_that_is_stopped_does_not_hold_up_who_asks_another(catalogue, tmp_path):
    settings = {"workers": 2, "graceful_stop_s": 1, "metrics_address": f"127.0.0.1:{free_port()}"}
    with run_server(catalogue, tmp_path, **settings) as server:
        url = f"http://{settings['metrics_address']}"
        ask_each_alone(server, "/livez", 20)
        wait_until(lambda: scrape(url).total("render_service_workers") == 2, lambda: "")
        stopped = worker_processes(server)[0]
        stopped.send_signal(signal.SIGSTOP)

        try:
            found = scrape(url)
        finally:
            stopped.send_signal(signal.SIGCONT)

        assert found.total(DURATION_COUNT, **LIVEZ) == 20


def test_no_series_names_what_was_asked_for(after_a_mixed_load):
    values = {
        (name, value)
        for sample in after_a_mixed_load.samples
        for name, value in sample.labels.items()
        if name != "http_route"
    }

    assert [value for _, value in values if ASKED_FOR.search(value)] == []
    for word in ("unknown-", "nothing/", "METHOD", "Ada", "token", "engraving"):
        assert word not in re.sub("# .*", "", after_a_mixed_load.text), word


def test_every_series_is_of_the_table_and_has_its_labels(after_a_mixed_load):
    table = {prometheus_name(instrument): instrument for instrument in TABLE}

    for family in after_a_mixed_load.families:
        instrument = table[family.name]
        names = {prometheus_label(label.name) for label in instrument.labels}
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == names, sample


def test_series_stay_few_whatever_is_asked_for(after_a_mixed_load):
    values = {}
    for sample in after_a_mixed_load.samples:
        for name, value in sample.labels.items():
            values.setdefault(name, set()).add(value)

    assert max(len(found) for found in values.values()) <= 20, values
    assert len(after_a_mixed_load.samples) < SERIES_MAX


def test_what_is_no_route_and_no_method_is_other(after_a_mixed_load):
    other = after_a_mixed_load.total(DURATION_COUNT, http_route="_OTHER")
    refused = after_a_mixed_load.total("render_service_http_refused_total")

    assert other >= 30
    assert refused >= 30


def test_every_instrument_of_the_table_is_told_of(after_a_mixed_load):
    told = {family.name for family in after_a_mixed_load.families}

    assert told == {prometheus_name(instrument) for instrument in TABLE}


def test_promtool_finds_nothing_to_say(after_a_mixed_load):
    promtool = shutil.which("promtool") or missing("no promtool: apt-get install prometheus")

    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=after_a_mixed_load.text.encode(),
        capture_output=True,
        check=False,
    )

    assert (checked.stdout + checked.stderr, checked.returncode) == (b"", 0)


def test_buckets_only_grow_and_end_in_the_count(after_a_mixed_load):
    histograms = [family for family in after_a_mixed_load.families if family.type == "histogram"]
    assert len(histograms) == sum(instrument.kind is Kind.HISTOGRAM for instrument in TABLE)

    for family in histograms:
        by_series = {}
        for sample in family.samples:
            labels = frozenset((k, v) for k, v in sample.labels.items() if k != "le")
            by_series.setdefault(labels, {}).setdefault(sample.name, []).append(sample.value)
        for found in by_series.values():
            buckets = found[f"{family.name}_bucket"]
            assert buckets == sorted(buckets)
            assert [buckets[-1]] == found[f"{family.name}_count"]


def test_openmetrics_is_given_to_who_prefers_it(several):
    answer = httpx.get(
        f"{several.url}/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"}
    )

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


def test_many_who_ask_at_once_are_all_answered(several):
    ask_each_alone(several, "/metrics", 60)

    assert scrape(several.url).total("render_service_workers") == WORKERS


def test_metrics_are_never_cached_and_only_read(several):
    answer = httpx.get(f"{several.url}/metrics")
    refused = httpx.post(f"{several.url}/metrics")

    assert answer.headers["cache-control"] == "no-store"
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/%6detrics", "/metrics/", "//metrics", "/Metrics"])
def test_metrics_have_one_spelling_that_an_edge_can_keep_to_itself(several, path):
    assert httpx.get(several.url + path).status_code == 404


def test_at_an_address_of_their_own_metrics_are_not_among_pictures(catalogue, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    with run_server(catalogue, tmp_path, workers=2, metrics_address=address) as server:
        beside = httpx.get(f"{server.url}/metrics")
        own = Scraped(httpx.get(f"http://{address}/metrics").text)
        hostile = httpx.get(f"http://{address}/metrics?name[]=x&name[]=%00")

    assert beside.status_code == 404
    assert own.total(DURATION_COUNT, http_route="/readyz") >= 1
    assert hostile.status_code == 200


def test_metrics_that_are_off_are_nowhere(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, metrics_address="off") as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 404


def test_an_address_that_is_taken_stops_the_start_by_name(several, catalogue, tmp_path):
    address = f"127.0.0.1:{several.port}"

    with (
        pytest.raises(AssertionError, match=f"RENDER_METRICS_ADDRESS: {address} cannot be"),
        run_server(catalogue, tmp_path, metrics_address=address),
    ):
        pass


def test_one_process_alone_counts_as_well(catalogue, tmp_path):
    with run_server(catalogue, tmp_path, workers=1) as server:
        before = scrape(server.url)
        for _ in range(10):
            httpx.get(f"{server.url}/livez")
        after = scrape(server.url)

    assert after.total(DURATION_COUNT, **LIVEZ) - before.total(DURATION_COUNT, **LIVEZ) == 10
    assert after.total("render_service_workers") == 1

"""Products of a whole file, in and out: over HTTP, by a worker that may be killed."""

import contextlib
import csv
import io
import os
import subprocess
import sys

import httpx
import msgspec
import pytest

from tests.http.server import COMPOSITIONS, run_server
from tests.servers import run_redis, valkey_program, wait_until
from tests.shop import PRODUCTS, import_folder, make_demo_shop

RING = msgspec.json.decode((PRODUCTS / "solitaire-ring.json").read_bytes())
TOKENS = f"back-office:{'w' * 43}"
WRITER = {"authorization": f"Bearer {'w' * 43}"}
LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def settings(postgres_18_server, tmp_path_factory):
    with run_redis(valkey_program(), tmp_path_factory.mktemp("queue")) as queue:
        yield {
            **make_demo_shop(postgres_18_server),
            "queue_url": queue.url,
            "api_tokens": TOKENS,
            "file_tier_bytes": 0,
            "job_lock_s": 2,
        }


@pytest.fixture(scope="module")
def shop(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    with (
        run_server(COMPOSITIONS, folder, raster_store_bytes=0, **settings) as server,
        httpx.Client(base_url=server.url, headers=WRITER, timeout=30) as client,
    ):
        yield client


@contextlib.contextmanager
def run_worker(settings, folder):
    """Run `render-service work`; yield its process."""
    environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
    given = {**settings, "catalogue": COMPOSITIONS, "data": folder / "worker"}
    environment |= {f"RENDER_{name.upper()}": str(value) for name, value in given.items()}
    with (folder / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "render_service", "work"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def worker(settings, tmp_path_factory):
    with run_worker(settings, tmp_path_factory.mktemp("worker")) as process:
        yield process


def ring(name, **changes):
    return msgspec.json.encode({**RING, "id": name, **changes}) + b"\n"


def order(shop, content, query="", headers=LINES):
    answer = shop.post(f"/v1/products/imports{query}", content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def done(shop, asked):
    """Wait for the job; return what came of it, and of each row."""
    wait_until(
        lambda: shop.get(asked["href"]).json()["status"] in ("done", "failed"),
        lambda: shop.get(asked["href"]).text,
    )
    job = shop.get(asked["href"]).json()
    assert job["status"] == "done", job
    report = shop.get(asked["report"]).text.splitlines()
    return job["result"], [msgspec.json.decode(line) for line in report]


def test_rows_that_are_sound_become_products_and_others_are_named(shop, worker):
    content = ring("one") + b"{broken\n\n" + ring("two", sku="?") + ring("three") + ring("one")
    result, report = done(shop, order(shop, content, "?on_error=reject-rows"))
    assert result == {"rows": {"added": 2, "refused": 3}, "rejected": False, "dry_run": False}
    assert [(row["line"], row["outcome"]) for row in report] == [
        (1, "added"),
        (2, "refused"),
        (4, "refused"),
        (5, "added"),
        (6, "refused"),
    ]
    assert report[2]["faults"][0]["field"] == "sku"
    assert "line 1" in report[4]["faults"][0]["problem"]
    assert shop.get("/v1/products/three").status_code == 200


def test_a_file_with_one_fault_writes_nothing(shop, worker):
    asked = order(shop, ring("whole-1") + ring("whole-2", language="english"))
    result, report = done(shop, asked)
    assert (result["rejected"], result["rows"]) == (True, {"sound": 1, "refused": 1})
    assert [row["outcome"] for row in report] == ["sound", "refused"]
    assert shop.get("/v1/products/whole-1").status_code == 404


def test_a_dry_run_writes_nothing(shop, worker):
    result, _ = done(shop, order(shop, ring("dry"), "?dry_run=true"))
    assert result == {"rows": {"sound": 1}, "rejected": False, "dry_run": True}
    assert shop.get("/v1/products/dry").status_code == 404


@pytest.mark.parametrize("spelt", ["ndjson", "csv"])
def test_what_is_exported_is_what_an_import_of_it_makes(shop, worker, spelt):
    odd = 'a "quoted", text\r\nof = two lines'
    content = ring("odd", text=odd, status="draft", attributes={"note": ['"', ",", "="]})
    done(shop, order(shop, content))
    exported = shop.get(f"/v1/products/export?format={spelt}")
    media_type = exported.headers["content-type"].partition(";")[0]
    again = order(shop, exported.content, headers={"content-type": media_type})
    result, _ = done(shop, again)
    assert set(result["rows"]) == {"same"}
    changed = exported.content.replace(b"of = two lines", b"of = three lines")
    result, _ = done(shop, order(shop, changed, headers={"content-type": media_type}))
    assert result["rows"]["changed"] == 1
    assert shop.get("/v1/products/odd/document").json()["text"] == odd.replace("two", "three")


def test_csv_that_is_exported_is_csv_to_others(shop):
    text = shop.get("/v1/products/export?format=csv").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    demo = next(row for row in rows if row["id"] == RING["id"])
    assert demo["title"] == RING["title"]
    assert msgspec.json.decode(demo["sizes"]) == RING["sizes"]


def test_a_file_that_is_sent_twice_under_one_key_is_imported_once(shop, worker):
    headers = {**LINES, "idempotency-key": "file"}
    first = order(shop, ring("keyed"), headers=headers)
    assert order(shop, ring("keyed"), headers=headers) == first
    other = shop.post("/v1/products/imports", content=ring("other"), headers=headers)
    assert other.status_code == 422


def test_whoever_is_killed_every_row_is_written_once(shop, settings, tmp_path):
    rows = 1000
    asked = order(shop, b"".join(ring(f"many-{n}") for n in range(rows)), "?on_error=reject-rows")
    with run_worker(settings, tmp_path) as first:
        wait_until(lambda: shop.get("/v1/products/many-300").status_code == 200, lambda: "none")
        first.kill()
    with run_worker(settings, tmp_path):
        result, report = done(shop, asked)
    assert result["rows"] == {"added": rows}
    assert [row["line"] for row in report] == list(range(1, rows + 1))
    assert shop.get("/v1/products/many-999/document").headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?on_error=ignore", LINES, 400),
        ("?dry_run=yes", LINES, 400),
        ("?colour=red", LINES, 400),
        ("", {"content-type": "application/json"}, 415),
        ("", {"content-type": "text/plain"}, 415),
    ],
)
def test_an_import_that_is_none_is_refused(shop, query, headers, status):
    answer = shop.post(f"/v1/products/imports{query}", content=b"{}", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("job", ["x", "00000000-0000-4000-8000-000000000000"])
def test_what_is_no_import_has_no_report(shop, job):
    assert shop.get(f"/v1/products/imports/{job}/report").status_code == 404


def test_the_command_imports_the_rows_that_it_exports(settings, tmp_path):
    environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
    environment["RENDER_DATABASE_URL"] = settings["database_url"]
    command = [sys.executable, "-m", "render_service", "products", "export", "--format", "csv"]
    exported = subprocess.run(command, env=environment, capture_output=True)
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "all.csv").write_bytes(exported.stdout)
    said = import_folder(settings["database_url"], tmp_path / "all.csv")
    assert "0 new, 0 changed" in said.stdout, said.stderr

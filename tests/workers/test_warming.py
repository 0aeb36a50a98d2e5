"""Pictures drawn ahead by order: real service, real worker, real queue."""

import httpx
import pytest

from tests.drafts.conftest import client_of, make_service
from tests.http.server import run_server
from tests.servers import run_redis, valkey_program, wait_until
from tests.workers.conftest import Workers

WARM = "/v1/compositions/ring/warm"


@pytest.fixture(scope="module")
def settings(postgres_18_server, sound, tmp_path_factory):
    folder = tmp_path_factory.mktemp("warming")
    with run_redis(valkey_program(), folder, "--appendonly", "yes") as queue:
        made = make_service(postgres_18_server, sound, folder / "published")
        yield {**made, "redis_url": queue.url, "data": folder / "data"}


@pytest.fixture(scope="module")
def served(settings, tmp_path_factory):
    with run_server("", tmp_path_factory.mktemp("served"), **settings) as server:
        yield server


@pytest.fixture
def worker(settings, tmp_path):
    workers = Workers(tmp_path, **settings)
    workers.start(("-m", "render_service", "work"))
    yield workers
    workers.stop()


def over(client, job, log):
    wait_until(lambda: client.get(job).json()["ended"], log)
    return client.get(job).json()


def test_pictures_of_a_composition_are_there_before_anybody_asks(served, worker):
    with client_of(served, "anna") as anna, httpx.Client(base_url=served.url) as nobody:
        answer = anna.post(WARM)
        assert answer.status_code == 202, answer.text
        done = over(anna, answer.headers["location"], worker.log)
        assert (done["status"], done["error"]) == ("done", None)
        assert done["result"]["complete"]
        assert (done["result"]["drawn"] > 0, done["result"]["failed"]) == (True, 0)
        found = nobody.post("/v1/compositions/ring/resolve", json={}).json()
        src = found["images"]["hero"]["src"].rpartition(".")[0]
        for kind in ("avif", "webp"):
            assert "fwd=miss" not in nobody.get(f"{src}.{kind}").headers["cache-status"]

        again = over(anna, anna.post(WARM).headers["location"], worker.log)
        assert again["result"] == done["result"]


def test_ordered_twice_it_is_one_job_and_may_be_cancelled(served):
    with client_of(served, "anna") as anna:
        first = anna.post(WARM, json={"seconds": 9}).json()
        assert anna.post(WARM).json()["id"] == first["id"]
        assert anna.post(f"/v1/jobs/{first['id']}/cancel").json()["status"] == "cancelled"


@pytest.mark.parametrize("asked", [{"seconds": 0}, {"seconds": 3601}, {"seconds": "1"}, {"x": 1}])
def test_what_cannot_be_ordered_is_named(served, asked):
    with client_of(served, "anna") as anna:
        answer = anna.post(WARM, json=asked)
        assert answer.status_code == 400
        assert next(iter(asked)) in answer.json()["detail"]


def test_an_unknown_composition_orders_nothing(served):
    with client_of(served, "anna") as anna:
        assert anna.post(WARM.replace("ring", "rings")).status_code == 404


def test_nobody_orders_anything(served):
    assert httpx.post(served.url + WARM).status_code == 401

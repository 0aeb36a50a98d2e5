"""Published by a job that draws what changes first: real worker, real queue."""

import httpx
import pytest

from tests.drafts.asking import begin
from tests.drafts.conftest import client_of, make_service
from tests.drafts.test_publishing import PICTURE, darken, live, publish, settled, version
from tests.drafts.test_routes import problem
from tests.http.server import run_server
from tests.servers import run_redis, valkey_program, wait_until
from tests.workers.conftest import Workers


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


def test_what_changes_is_drawn_before_it_goes_live(served, worker):
    with client_of(served, "anna") as anna, httpx.Client(base_url=served.url) as nobody:
        seen, draft = version(nobody), darken(anna, begin(anna), 0.42)
        answer = publish(anna, draft, warm=True)
        assert answer.status_code == 202, answer.text
        job = answer.headers["location"]
        wait_until(lambda: anna.get(job).json()["status"] != "queued", worker.log)
        wait_until(lambda: anna.get(job).json()["status"] != "running", worker.log)
        done = anna.get(job).json()
        assert (done["status"], done["error"]) == ("done", None)
        assert done["result"]["published"]["changed"]
        assert done["result"]["drawn"] > 0
        assert done["progress"]["done"] == done["progress"]["total"]
        settled(nobody, seen)
        src = anna.get("/v1/compositions/ring").json()["views"][0]["url_template"]
        words = {"configuration": PICTURE.split("/")[1], "width": 320, "format": "webp"}
        drawn = nobody.get(src.format(**words))
        assert "detail=render" not in drawn.headers["cache-status"]


def test_ordered_twice_it_is_one_job(served):
    with client_of(served, "anna") as anna:
        draft = darken(anna, begin(anna), 0.43)
        first = publish(anna, draft, warm=True).json()
        assert publish(anna, draft, warm=True).json()["id"] == first["id"]
        assert anna.post(f"/v1/jobs/{first['id']}/cancel").json()["status"] == "cancelled"


def test_what_would_be_refused_orders_nothing(served):
    with client_of(served, "anna") as anna:
        draft = begin(anna)
        darken(anna, draft, 0.44)
        number = live(anna)["number"]
        assert problem(publish(anna, draft, warm=True)) == (412, "draft-moved")
        assert live(anna)["number"] == number

"""Jobs over HTTP: seen, followed, cancelled and retried, by who may."""

import asyncio
import base64
import json
import threading

import httpx
import pytest

from render_service.adapters.job_attempts import begin
from render_service.adapters.job_table import JobTable
from render_service.adapters.migrations import migrate
from render_service.adapters.outbox import claim, mark_sent
from render_service.adapters.postgres import Database
from render_service.jobs.model import Kind, Order
from tests.http.server import run_server
from tests.postgres import make_database
from tests.shop import KEY

TOKENS = {name: f"{name}-" + name[0] * 40 for name in ("anna", "ben", "root", "reader")}
SCOPES = {"anna": "asset:write", "ben": "asset:write", "root": "admin+jobs:read"}
SCOPES["reader"] = "jobs:read"


def as_(name):
    return {"authorization": f"Bearer {TOKENS[name]}"}


@pytest.fixture(scope="module")
def url(postgres_18_server):
    address = make_database(postgres_18_server)
    asyncio.run(migrate(address))
    return address


@pytest.fixture(scope="module")
def client(url, catalogue, tmp_path_factory):
    tokens = ",".join(f"{name}:{token}:{SCOPES[name]}" for name, token in TOKENS.items())
    settings = {"database_url": url, "signing_keys": KEY, "api_tokens": tokens}
    with (
        run_server(catalogue, tmp_path_factory.mktemp("jobs"), **settings) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        yield client


@pytest.fixture
async def database(url):
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def jobs(database):
    return JobTable(database)


def an_order(**changes):
    return Order(**{"kind": Kind.IMPORT, "payload": {"secret": "rows"}, "by": "anna"} | changes)


async def attempt_at(database, job):
    async def work(connection):
        rows = await claim(connection, 1000)
        await mark_sent(connection, [row.id for row in rows])
        return await connection.fetchval(
            "SELECT ticket::text FROM shop.job WHERE id = $1::text::uuid", job.id
        )

    ticket, _ = await database.write(work)
    return await begin(database, ticket, 10)


async def test_a_job_is_shown_to_who_ordered_it_without_what_it_was_ordered_with(client, jobs):
    job = await jobs.order(an_order())

    answer = client.get(f"/v1/jobs/{job.id}", headers=as_("anna"))

    shown = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (shown["kind"], shown["status"], shown["by"]) == ("import", "queued", "anna")
    assert shown["progress"] == {"done": 0, "total": 0, "note": ""}
    assert shown["events"] == f"/v1/jobs/{job.id}/events"
    assert "rows" not in answer.text


@pytest.mark.parametrize(("who", "status"), [("ben", 404), ("reader", 200), ("root", 200)])
async def test_a_job_of_another_is_seen_with_the_right_to(client, jobs, who, status):
    job = await jobs.order(an_order())
    assert client.get(f"/v1/jobs/{job.id}", headers=as_(who)).status_code == status


async def test_without_a_token_no_job_is_seen(client, jobs):
    job = await jobs.order(an_order())
    for path in ("", f"/{job.id}", f"/{job.id}/events"):
        assert client.get(f"/v1/jobs{path}").status_code == 401


@pytest.mark.parametrize(
    "given", ["8be743f2-74c0-4aad-835a-55597eacd23e", "x", "1", "%00", "%ff", "a" * 99, "';--"]
)
def test_a_job_that_is_not_there_is_unknown(client, given):
    for method, path in [("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")]:
        answer = client.request(method, f"/v1/jobs/{given}{path}", headers=as_("root"))
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-job")


async def test_jobs_are_listed_page_by_page_to_who_may_see_all(client, jobs):
    made = [(await jobs.order(an_order(kind=Kind.PUBLISH))).id for _ in range(5)]
    assert client.get("/v1/jobs", headers=as_("anna")).status_code == 403

    page = client.get("/v1/jobs?kind=publish&limit=3", headers=as_("reader")).json()
    rest = client.get(page["next"], headers=as_("reader")).json()

    assert [job["id"] for job in page["jobs"] + rest["jobs"]] == made[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "kind=Import",
        "limit=0",
        "limit=101",
        "limit=1e3",
        "cursor=x",
        "cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgIngiXQ",
        "cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsICJ4Il0",
        "kind=import&kind=mail",
        "page=2",
    ],
)
def test_a_question_that_is_not_understood_names_what_is_wrong(client, query):
    answer = client.get(f"/v1/jobs?{query}", headers=as_("reader"))
    assert answer.status_code == 400, answer.text
    assert query.partition("=")[0] in answer.json()["detail"]


async def test_a_job_is_cancelled_by_who_ordered_it_or_an_administrator(client, jobs):
    first, second = await jobs.order(an_order()), await jobs.order(an_order())
    cancel = f"/v1/jobs/{first.id}/cancel"

    assert client.post(cancel, headers=as_("ben")).status_code == 404
    assert client.post(cancel, headers=as_("reader")).status_code == 403
    assert client.post(cancel, headers=as_("anna")).json()["status"] == "cancelled"
    again = client.post(cancel, headers=as_("anna"))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/job-over")
    other = client.post(f"/v1/jobs/{second.id}/cancel", headers=as_("root"))
    assert other.json()["status"] == "cancelled"


async def test_a_parked_job_is_retried_and_no_other(client, jobs, database):
    job = await jobs.order(an_order())
    retry = f"/v1/jobs/{job.id}/retry"
    assert client.post(retry, headers=as_("anna")).json()["type"] == "/problems/job-not-parked"
    await (await attempt_at(database, job)).fail("broken", 1)

    again = client.post(retry, headers=as_("anna"))

    assert (again.status_code, again.json()["status"], again.json()["error"]) == (
        200,
        "queued",
        "broken",
    )


async def test_a_job_is_followed_to_its_end(client, jobs, database):
    job = await jobs.order(an_order())
    attempt = await attempt_at(database, job)
    told, seen = [], threading.Event()

    def follow():
        path = f"/v1/jobs/{job.id}/events"
        with client.stream("GET", path, headers=as_("anna"), timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            name = None
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                if line.startswith("data: "):
                    told.append((name, json.loads(line.removeprefix("data: "))))
                    seen.set()

    following = asyncio.create_task(asyncio.to_thread(follow))
    await asyncio.to_thread(seen.wait, 10)
    await attempt.report(3, 7, "row 3")
    await asyncio.sleep(1.2)
    await attempt.end({"rows": 7})
    await asyncio.wait_for(following, 20)

    assert [name for name, _ in told] == ["progress", "progress", "end"]
    assert told[1][1]["progress"] == {"done": 3, "total": 7, "note": "row 3"}
    assert (told[2][1]["status"], told[2][1]["result"]) == ("done", {"rows": 7})


async def test_what_is_over_is_told_at_once(client, jobs):
    job = await jobs.order(an_order())
    await jobs.cancel(job.id)
    answer = client.get(f"/v1/jobs/{job.id}/events", headers=as_("anna"))
    assert answer.text.count("event: ") == 1
    assert "event: end" in answer.text


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_cursor_at_the_ends_of_time_is_none_of_ours(client, at):
    place = f'["{at}","8be743f2-74c0-4aad-835a-55597eacd23e"]'.encode()
    cursor = base64.urlsafe_b64encode(place).decode().rstrip("=")
    answer = client.get("/v1/jobs", params={"cursor": cursor}, headers=as_("reader"))
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]

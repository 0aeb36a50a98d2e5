"""What every Quarantine does, and every form it gives out, wherever the form is posted."""

import asyncio
import contextlib
import time

import httpx
import pytest
import uvicorn
from msgspec.structs import replace

from render_service.adapters.quarantine_bucket import QuarantineBucket
from render_service.adapters.quarantine_folder import QuarantineFolder
from render_service.assets.policies import Policies
from render_service.assets.quarantine import Slot
from render_service.errors import UploadsUnavailable
from render_service.http.quarantine import QUARANTINE_PATH, QuarantineRoute
from render_service.planning.signatures import parse_keys
from tests.servers import free_port

KEYS = parse_keys("one:" + "A" * 43)
DATA = bytes(range(256)) * 1200
"""More than one chunk of a connection."""
PATIENT_S = 60


async def until(condition):
    """Wait until `condition()`; the test's own bound of time is that of the whole suite."""
    done = condition()
    while not done:
        await asyncio.sleep(0.01)
        done = condition()


@contextlib.asynccontextmanager
async def serving(app):
    """Serve `app` in this loop; yield its port."""
    port = free_port()
    config = uvicorn.Config(app, port=port, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def folder_quarantine(request, **words):
    """A quarantine in a folder, behind the route that fills it."""
    folder = request.getfixturevalue("tmp_path") / "uploads"

    async def app(scope, receive, send):
        await route(scope, receive, send)

    async with serving(app) as port:
        url = f"http://127.0.0.1:{port}{QUARANTINE_PATH}"
        quarantine = QuarantineFolder(folder, Policies(KEYS), url=url)
        route = QuarantineRoute(quarantine, **words)
        yield quarantine


@contextlib.asynccontextmanager
async def bucket_quarantine(request):
    bucket = request.getfixturevalue("bucket")
    quarantine = QuarantineBucket(bucket=bucket.name, endpoint=bucket.endpoint, timeout_s=PATIENT_S)
    yield quarantine
    await quarantine.close()


@pytest.fixture(params=[folder_quarantine, bucket_quarantine])
async def quarantine(request):
    async with request.param(request) as made:
        yield made


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=PATIENT_S) as client:
        yield client


def slot(**words):
    least_bytes = words.pop("least_bytes", len(DATA))
    expires_s = words.pop("expires_s", int(time.time()) + 60)
    words = {"name": "u-1", "media_type": "image/png", "most_bytes": len(DATA)} | words
    return Slot(least_bytes=least_bytes, expires_s=expires_s, **words)


async def post(client, form, data=DATA, **fields):
    """Post `data` in `form`, with `fields` in the place of its own."""
    parts = {**form.fields, **fields}
    return await client.post(form.url, data=parts, files={"file": ("ring.png", data)})


async def test_a_form_that_is_posted_puts_the_file_there_whole(quarantine, client):
    form = await quarantine.offer(slot())
    assert await quarantine.size("u-1") is None
    assert await quarantine.fetch("u-1", bytes_max=2**20) is None
    answer = await post(client, form)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await quarantine.size("u-1") == len(DATA)
    assert await quarantine.fetch("u-1", bytes_max=2**20) == DATA


async def test_what_is_larger_than_the_caller_bears_is_not_read(quarantine, client):
    await post(client, await quarantine.offer(slot()))
    assert await quarantine.fetch("u-1", bytes_max=len(DATA)) == DATA
    assert await quarantine.fetch("u-1", bytes_max=len(DATA) - 1) is None


async def test_what_was_removed_is_gone_and_can_be_removed_again(quarantine, client):
    await post(client, await quarantine.offer(slot()))
    await quarantine.remove("u-1")
    await quarantine.remove("u-1")
    assert await quarantine.size("u-1") is None


async def test_a_form_that_is_posted_again_replaces_the_file(quarantine, client):
    form = await quarantine.offer(slot(least_bytes=1))
    await post(client, form)
    assert (await post(client, form, b"other")).status_code == 204
    assert await quarantine.fetch("u-1", bytes_max=2**20) == b"other"


@pytest.mark.parametrize("length", [0, len(DATA) - 1, len(DATA) + 1, 5 * len(DATA)])
async def test_a_file_of_another_length_is_refused_and_not_kept(quarantine, client, length):
    answer = await post(client, await quarantine.offer(slot()), (DATA * 5)[:length])
    assert answer.status_code == 400
    assert await quarantine.size("u-1") is None


async def test_a_form_refuses_another_key_and_another_type(quarantine, client):
    form = await quarantine.offer(slot())
    key = form.fields["key"].replace("u-1", "u-2")
    assert (await post(client, form, key=key)).status_code == 403
    assert (await post(client, form, **{"Content-Type": "text/html"})).status_code == 403
    assert await quarantine.size("u-1") is None
    assert await quarantine.size("u-2") is None


async def test_a_form_whose_time_is_over_is_refused(quarantine, client):
    form = await quarantine.offer(slot(expires_s=int(time.time()) + 1))
    # Both servers compare whole seconds, by their own clocks.
    await asyncio.sleep(2.1)
    assert 400 <= (await post(client, form)).status_code < 404
    assert await quarantine.size("u-1") is None


@pytest.mark.parametrize("how", [str.swapcase, lambda policy: policy[:-9], lambda _: ""])
async def test_a_policy_that_was_changed_is_refused(quarantine, client, how):
    form = await quarantine.offer(slot())
    answer = await post(client, form, policy=how(form.fields["policy"]))
    assert 400 <= answer.status_code < 404
    assert await quarantine.size("u-1") is None


async def test_a_form_without_its_policy_or_its_file_is_refused(quarantine, client):
    form = await quarantine.offer(slot())
    bare = {name: value for name, value in form.fields.items() if name != "policy"}
    assert 400 <= (await post(client, replace(form, fields=bare))).status_code < 404
    fields = {name: (None, value) for name, value in form.fields.items()}
    assert (await client.post(form.url, files=fields)).status_code == 400
    assert await quarantine.size("u-1") is None


async def test_a_post_that_is_cut_leaves_nothing(quarantine, client):
    form = await quarantine.offer(slot())
    request = client.build_request(
        "POST", form.url, data=form.fields, files={"file": ("ring.png", DATA)}
    )
    sent = b"".join([part async for part in request.stream])
    host, port = request.url.host, request.url.port
    _, writer = await asyncio.open_connection(host, port)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(
        f"POST {request.url.path} HTTP/1.1\r\n{head}\r\n".encode() + sent[: len(sent) // 2]
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await post(client, await quarantine.offer(slot(name="u-2")))).status_code == 204
    assert await quarantine.size("u-1") is None


async def test_a_quarantine_that_cannot_be_used_says_so(request, bucket, tmp_path):
    (tmp_path / "taken").write_text("not a folder")
    broken = [
        QuarantineFolder(tmp_path / "taken", Policies(KEYS), url=""),
        QuarantineBucket(bucket="no-such-bucket", endpoint=bucket.endpoint, timeout_s=PATIENT_S),
    ]
    for quarantine in broken:
        with pytest.raises(UploadsUnavailable):
            await quarantine.remove("u-1")
        await quarantine.close()

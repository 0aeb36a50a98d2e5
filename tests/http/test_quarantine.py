"""The route that receives forms itself: what only it can do wrong."""

import asyncio

import httpx
import pytest

from tests.contracts.test_quarantine import DATA, client, folder_quarantine, post, slot, until

__all__ = ["client"]


@pytest.fixture
async def quarantine(request):
    async with folder_quarantine(request, silent_s=0.2) as made:
        yield made


def files(tmp_path):
    return [path for path in tmp_path.rglob("*") if path.is_file()]


async def begun(quarantine, sent=0.5):
    """Send part of a post; return its connection."""
    form = await quarantine.offer(slot())
    request = httpx.Request("POST", form.url, data=form.fields, files={"file": ("x", DATA)})
    reader, writer = await asyncio.open_connection(request.url.host, request.url.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    body = request.read()
    writer.write(f"POST {request.url.path} HTTP/1.1\r\n{head}\r\n".encode())
    writer.write(body[: int(len(body) * sent)])
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("sent", [0, 0.001, 0.5, 0.9999])
async def test_who_stops_sending_is_told_and_nothing_is_left(quarantine, tmp_path, sent):
    reader, writer = await begun(quarantine, sent)
    assert b"400" in await reader.readline()
    assert files(tmp_path) == []
    writer.close()


async def test_who_leaves_in_the_middle_leaves_nothing(quarantine, tmp_path):
    _, writer = await begun(quarantine)
    await until(lambda: files(tmp_path))
    writer.close()
    await until(lambda: not files(tmp_path))


async def test_one_file_is_received_once_at_a_time(quarantine, client, tmp_path):
    _, writer = await begun(quarantine)
    await until(lambda: files(tmp_path))
    answer = await post(client, await quarantine.offer(slot()))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/upload-under-way")
    writer.close()


async def test_what_a_dead_process_left_is_received_over(quarantine, client, tmp_path):
    (tmp_path / "uploads" / "unfinished").mkdir(parents=True)
    (tmp_path / "uploads" / "unfinished" / "u-1").write_bytes(DATA * 2)
    assert (await post(client, await quarantine.offer(slot()))).status_code == 204
    assert await quarantine.fetch("u-1", bytes_max=2**20) == DATA


@pytest.mark.parametrize(
    ("method", "words", "status", "said"),
    [
        ("GET", {}, 405, "posted"),
        ("POST", {}, 400, "multipart/form-data"),
        ("POST", {"json": {}}, 400, "multipart/form-data"),
        (
            "POST",
            {"content": b"", "headers": {"content-type": "multipart/form-data"}},
            400,
            "bound",
        ),
        ("POST", {"files": {"file": b"x"}}, 400, "`key` is missing"),
        ("POST", {"files": {"key": b"x"}}, 400, "`file`"),
        ("POST", {"files": {"key": b"\xff"}}, 400, "not UTF-8"),
        ("POST", {"files": [("key", b"x"), ("key", b"y")]}, 400, "twice"),
        ("POST", {"files": {"key": b"x" * 5000}}, 400, "too long"),
        ("POST", {"params": {"a": "b"}, "files": {"file": b"x"}}, 400, "query"),
    ],
)
async def test_what_is_no_form_of_ours_is_refused(quarantine, client, method, words, status, said):
    form = await quarantine.offer(slot())
    answer = await client.request(method, form.url, **words)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


async def test_many_parts_are_refused(quarantine, client):
    form = await quarantine.offer(slot())
    answer = await client.post(form.url, files=[(f"f{n}", b"x") for n in range(50)])
    assert (answer.status_code, "count" in answer.text) == (400, True)


async def test_another_field_behind_the_file_is_refused_and_nothing_kept(quarantine, client):
    form = await quarantine.offer(slot())
    parts = [(name, (None, value)) for name, value in form.fields.items()]
    parts += [("file", ("ring.png", DATA)), ("key", (None, "u-2"))]
    assert (await client.post(form.url, files=parts)).status_code == 400
    assert await quarantine.size("u-1") is None


async def test_scripts_of_any_site_may_read_what_came_of_it(quarantine, client):
    answer = await post(client, await quarantine.offer(slot()))
    assert answer.headers["access-control-allow-origin"] == "*"
    asked = await client.options((await quarantine.offer(slot())).url)
    assert (asked.status_code, asked.headers["access-control-allow-methods"]) == (
        204,
        "OPTIONS, POST",
    )

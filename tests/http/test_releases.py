"""Publishing while it serves: real servers that follow what is live, and never fail a request."""

import asyncio
import contextlib
import signal
import threading

import httpx
import pytest
from redis import Redis

from render_service.adapters.release_folder import ReleaseFolder
from render_service.releases.model import seal
from render_service.releases.reading import read_live_state, read_releases
from tests.http.server import run_server
from tests.releases import publish, write_without
from tests.servers import run_redis, valkey_program, wait_until

QUICK = {"graceful_stop_s": 1, "releases_poll_s": 0.3}
PATIENT_S = 60
PICTURE = "metal=silver,gem=ruby,background=white/160.webp"


@pytest.fixture
def store(sound, tmp_path):
    """A store with the sound catalogue in it."""
    publish(sound, releases=tmp_path / "published")
    return tmp_path / "published"


def serve(store, folder, **settings):
    """A server of the live release in `store`."""
    return run_server("", folder, releases=store, **{**QUICK, **settings})


def get(server, path):
    """One request on a connection of its own; patient, as the machine may be busy."""
    return httpx.get(server.url + path, timeout=PATIENT_S)


def version_of(server, view="hero"):
    manifest = get(server, "/v1/compositions/ring").json()
    return {one["id"]: one["version"] for one in manifest["views"]}[view]


def path_of(version, view="hero"):
    return f"/r/ring/{view}/{version}/{PICTURE}"


def readiness(server):
    return get(server, "/readyz").json()


class Shopper(threading.Thread):
    """Asks for the manifest, the alias and the picture it leads to, on new connections, for ever.

    Attributes:
        versions: The version of each manifest, in the order they came.
        failures: Whatever was not answered as it should be.
    """

    def __init__(self, server):
        super().__init__(daemon=True)
        self.versions, self.failures = [], []
        self._server, self._done = server, threading.Event()

    def run(self):
        while not self._done.is_set():
            try:
                with httpx.Client(base_url=self._server.url, timeout=PATIENT_S) as client:
                    self.versions.append(version_of(self._server))
                    alias = "/img/ring/hero/160.webp?metal=silver"
                    answer = client.get(alias, follow_redirects=True)
                    if [answer.status_code] + [r.status_code for r in answer.history] != [200, 302]:
                        self.failures.append(answer)
            except (httpx.HTTPError, KeyError) as error:
                self.failures.append(error)

    def stop(self):
        self._done.set()
        self.join()


def test_four_processes_follow_a_release_and_its_roll_back_without_a_failed_request(
    store, silver, tmp_path
):
    with serve(store, tmp_path, workers=4) as server:
        old = version_of(server)
        shoppers = [Shopper(server) for _ in range(3)]
        for shopper in shoppers:
            shopper.start()
        seen = []
        for words in ((silver,), ("--release", 1)):
            publish(*words, releases=store)
            before = version_of_live(store)
            wait_until(
                lambda: all(settled(s.versions, before) for s in shoppers),  # noqa: B023
                lambda: [s.versions[-5:] for s in shoppers],
            )
            seen.append(before)
        for shopper in shoppers:
            shopper.stop()

    assert seen == [seen[0], old]
    assert seen[0] != old
    assert [failure for shopper in shoppers for failure in shopper.failures] == []


def settled(versions, version):
    """The last twenty answers, each from whichever process took it, have `version`."""
    return len(versions) >= 20 and set(versions[-20:]) == {version}


def version_of_live(store):
    async def read():
        folder = ReleaseFolder(store)
        releases = await read_releases(folder, await read_live_state(folder))
        return releases["ring"].versions["hero"]

    return asyncio.run(read())


def test_a_process_that_has_not_seen_a_release_yet_draws_its_pictures(store, silver, tmp_path):
    with serve(store, tmp_path, releases_poll_s=3600) as server:
        old = version_of(server)
        publish(silver, releases=store)
        new = version_of_live(store)
        answer = get(server, path_of(new))
        assert version_of(server) == old
        assert new != old
        assert answer.status_code == 200


def test_news_by_redis_bring_a_release_at_once(store, silver, valkey, tmp_path):
    with serve(store, tmp_path, releases_poll_s=3600, redis_url=valkey.url) as server:
        old = version_of(server)
        publish(silver, releases=store, redis_url=valkey.url)
        wait_until(lambda: version_of(server) != old, server.log.read_text)


def test_without_its_redis_a_release_is_found_by_looking(store, silver, tmp_path):
    with (
        run_redis(valkey_program(), tmp_path) as redis,
        serve(store, tmp_path, redis_url=redis.url) as server,
    ):
        old = version_of(server)
        redis.stop()
        said = publish(silver, releases=store, redis_url=redis.url)
        assert "State 2 is live" in said
        wait_until(lambda: version_of(server) != old, server.log.read_text)


def test_news_are_heard_again_when_redis_is_back(store, silver, tmp_path):
    with (
        run_redis(valkey_program(), tmp_path) as redis,
        serve(store, tmp_path, redis_url=redis.url) as server,
    ):
        redis.stop()
        wait_until(lambda: "no news of releases" in server.log.read_text(), lambda: "")
        redis.start()
        wait_until(lambda: listeners(redis) == 1, lambda: listeners(redis))


def listeners(redis):
    with Redis.from_url(redis.url) as client:
        return client.pubsub_numsub("releases/live")[0][1]


def test_nothing_published_stops_the_start_and_says_what_to_type(tmp_path):
    with (
        pytest.raises(AssertionError, match=r"Type `render-service publish"),
        serve(tmp_path / "nothing", tmp_path),
    ):
        pass


@pytest.mark.parametrize("unreadable", [seal(b"\x81\xa6schema\x63"), seal(b"rubbish"), b"torn"])
def test_a_state_that_cannot_be_read_never_replaces_the_one_that_serves(
    store, silver, tmp_path, unreadable
):
    with serve(store, tmp_path) as server:
        old = version_of(server)
        live = store / "live.msgpack"
        sound = live.read_bytes()
        live.write_bytes(unreadable)
        wait_until(lambda: readiness(server)["status"] == "degraded", server.log.read_text)

        assert readiness(server)["unavailable"] == ["releases"]
        assert version_of(server) == old
        assert get(server, path_of(old)).status_code == 200

        live.write_bytes(sound)
        wait_until(lambda: readiness(server)["status"] == "ready", server.log.read_text)


def test_a_state_with_a_release_missing_never_replaces_the_one_that_serves(store, silver, tmp_path):
    with serve(store, tmp_path, releases_poll_s=0.1) as server:
        old = version_of(server)
        hidden = store.with_name("hidden")
        server.process.send_signal(signal.SIGSTOP)  # it must not see the state while it is whole
        publish(silver, releases=store)
        (newest,) = [
            path
            for path in store.glob("releases/ring/*")
            if path.stat().st_mtime_ns == max(p.stat().st_mtime_ns for p in path.parent.iterdir())
        ]
        newest.rename(hidden)
        server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: readiness(server)["status"] == "degraded", server.log.read_text)
        assert version_of(server) == old

        hidden.rename(newest)
        wait_until(lambda: version_of(server) != old, server.log.read_text)
        wait_until(lambda: readiness(server)["status"] == "ready", server.log.read_text)


def test_a_layer_file_missing_from_the_store_is_a_502_that_names_it(store, tmp_path):
    # Placeholders are drawn at the start: their layers would be at hand.
    with serve(store, tmp_path, raster_cache_bytes=0, raster_store_bytes=0) as server:
        for path in store.glob("assets/*/*"):
            path.unlink()
        answer = get(server, path_of(version_of(server)))

    assert answer.status_code == 502
    assert answer.headers["cache-control"] == "no-store"
    assert "ring/" in answer.json()["detail"]
    assert "is not in the store" in answer.json()["detail"]


def test_a_view_that_is_gone_leaves_the_manifest_and_keeps_its_pictures(store, tmp_path):
    with serve(store, tmp_path) as server:
        top = version_of(server, "top")
        publish(write_without(tmp_path / "without"), releases=store)
        manifest = "/v1/compositions/ring"
        wait_until(lambda: len(get(server, manifest).json()["views"]) == 1, server.log.read_text)
        old = get(server, f"/r/ring/top/{top}/metal=gold/160.webp")
        alias = get(server, "/img/ring/top/160.webp")

    assert old.status_code == 200
    assert alias.status_code == 404


def test_placeholders_of_a_new_release_are_made(store, silver, tmp_path):
    def placeholders(server):
        manifest = get(server, "/v1/compositions/ring").json()
        return [view["placeholder"] for view in manifest["views"]]

    with serve(store, tmp_path) as server:
        old = version_of(server)
        publish(silver, releases=store)
        wait_until(lambda: version_of(server) != old, server.log.read_text)
        wait_until(lambda: all(placeholders(server)), lambda: placeholders(server))


class Gate:
    """A way to a server that can be shut: connections through it end, and new ones are refused."""

    def __init__(self, port):
        self._port, self._writers = port, set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = None
        self.port = 0
        self.open()

    def open(self):
        self._do(self._open())

    def shut(self):
        self._do(self._shut())

    def close(self):
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self):
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _pass(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                one.transport.abort()
                self._writers.discard(one)


async def _copy(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_without_its_bucket_a_service_serves_on_starts_again_and_follows_when_it_is_back(
    sound, silver, bucket, ceph, tmp_path
):
    store = f"s3://{bucket.name}"
    publish(sound, releases=store, s3_endpoint=bucket.endpoint)
    gate = Gate(ceph.port)
    settings = {"s3_endpoint": f"http://127.0.0.1:{gate.port}", "memory_tier_bytes": 0}
    settings |= {"file_tier_bytes": 0, "releases_timeout_s": 20, "raster_cache_bytes": 0}
    try:
        with serve(store, tmp_path, **settings) as server:
            path = path_of(version_of(server))
            drawn = get(server, path).content
            gate.shut()
            wait_until(lambda: readiness(server)["status"] == "degraded", server.log.read_text)
            assert get(server, path).content == drawn
            unknown = get(server, path_of("0123456789"))
            assert (unknown.status_code, "retry-after" in unknown.headers) == (503, True)
        with serve(store, tmp_path, **settings) as server:
            assert get(server, path).content == drawn
            assert readiness(server)["unavailable"] == ["releases"]
            publish(silver, releases=store, s3_endpoint=bucket.endpoint)
            gate.open()
            old = path.split("/")[4]
            wait_until(lambda: version_of(server) != old, server.log.read_text)
            wait_until(lambda: readiness(server)["status"] == "ready", server.log.read_text)
            assert get(server, path).content == drawn
    finally:
        gate.close()

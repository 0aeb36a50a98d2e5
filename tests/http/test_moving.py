"""A connection stays with the process that accepted it, until another could draw sooner."""

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, product

import httpx
import psutil

from tests.http.catalogue import write_catalogue
from tests.http.server import run_server, serving_workers
from tests.servers import wait_until

CLIENTS = 4
WIDTHS = (160, 240, 320, 480, 640, 800)


def test_connections_that_one_process_accepted_move_to_the_one_that_waits(tmp_path):
    catalogue = write_catalogue(tmp_path / "catalogue", scale=4)
    with (
        run_server(catalogue, tmp_path, workers=2, render_threads=1, file_tier_bytes=0) as server,
        ExitStack() as stack,
    ):
        wait_until(lambda: len(serving_workers(server)) == 2, lambda: server.log.read_text())
        one, other = serving_workers(server)
        clients = [
            stack.enter_context(httpx.Client(base_url=server.url, timeout=60))
            for _ in range(CLIENTS)
        ]
        with stopped(other):
            for client in clients:
                assert client.get("/livez").status_code == 200
            assert (held_by(one, server), held_by(other, server)) == (CLIENTS, 0)

        paths = all_paths(clients[0])
        shares = [paths[number::CLIENTS] for number in range(CLIENTS)]
        moved = [False]
        with ThreadPoolExecutor(CLIENTS) as threads:
            asked = [
                threads.submit(ask_until_moved, *pair, moved)
                for pair in zip(clients, shares, strict=True)
            ]
            # A client that comes again is accepted by whoever is quicker: it may take some turns.
            while not moved[0] and not all(one.done() for one in asked):
                moved[0] = held_by(other, server) > 0
            answers = list(chain(*(one.result() for one in asked)))
        closed = [answer for answer in answers if is_closed(answer)]
        assert closed
        assert {"fwd=miss" in answer.headers["cache-status"] for answer in closed} == {True}
        assert moved[0]

        asked_for = [answer.request.url.path for answer in answers]
        hits = [answer for answer in ask(clients[0], asked_for) if is_hit(answer)]
        assert hits
        assert not [answer for answer in hits if is_closed(answer)]


@contextmanager
def stopped(process):
    """A process that does nothing meanwhile."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def ask(client, paths):
    answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return answers


def ask_until_moved(client, paths, moved):
    answers = []
    for path in paths:
        answers += ask(client, [path])
        if moved[0]:
            break
    return answers


def is_closed(answer):
    return answer.headers.get("connection") == "close"


def is_hit(answer):
    return "hit" in answer.headers["cache-status"]


def held_by(worker, server):
    """The connections to `server` that a worker has accepted and holds."""
    return sum(
        one.status == psutil.CONN_ESTABLISHED and one.laddr.port == server.port
        for one in worker.net_connections(kind="tcp")
    )


def all_paths(client):
    """Every picture of the hero view as AVIF and WebP, the configurations taking turns."""
    manifest = client.get("/v1/compositions/ring").json()
    (version,) = (view["version"] for view in manifest["views"] if view["id"] == "hero")
    return [
        f"/r/ring/hero/{version}/metal=gold,gem={gem},background={background}/{width}.{kind}"
        for background, kind, width, gem in product(
            ("white", "transparent"), ("avif", "webp"), WIDTHS, ("ruby", "sapphire")
        )
    ]

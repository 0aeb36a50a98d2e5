import contextlib
import random
import socket

import pytest

from loadtests.asking import read_products, wait_until_quiet
from loadtests.attacks import KINDS, Attacker
from tests.http.catalogue import write_catalogue
from tests.http.server import run_server
from tests.loadtests.products import CHAIN, RING


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with run_server(write_catalogue(folder / "catalogue"), folder) as server:
        yield server


@pytest.fixture(scope="module")
def product(server):
    (product,) = read_products(server.url)
    return product


def make_attacker(product, seed=1):
    return Attacker(product, random.Random(seed))  # noqa: S311  # the same attacks each time


def sent(port, attack):
    """The status of `attack`, sent byte by byte as it is: no client of ours corrects it."""
    body = attack.body or b""
    lines = [
        f"{attack.method} {attack.path} HTTP/1.1",
        "Host: localhost",
        *(f"{name}: {value}" for name, value in attack.headers.items()),
        *([f"Content-Length: {len(body)}"] if attack.body is not None else []),
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        # Whoever is refused before all of it was read finds that nobody listens any more.
        with contextlib.suppress(ConnectionError):
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
            connection.sendall(body)
        answer = b""
        while b"\r\n" not in answer and (piece := connection.recv(4096)):
            answer += piece
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_is_answered_as_it_says_is_right(kind, server, product):
    attacker = make_attacker(product, kind)
    for _ in range(3):
        attack = attacker.mint_kind(kind)
        assert sent(server.port, attack) in attack.statuses, attack.path[:300]


def test_no_attack_has_anything_drawn(server, product):
    attacker = make_attacker(product)
    before = wait_until_quiet(server.url)
    for kind in KINDS:
        sent(server.port, attacker.mint_kind(kind))
    assert wait_until_quiet(server.url) == before


@pytest.mark.parametrize("product", [RING, CHAIN], ids=["two views", "one view of one option"])
def test_any_product_can_be_attacked_in_every_way(product):
    attacker = make_attacker(product)
    for kind in KINDS:
        attack = attacker.mint_kind(kind)
        assert attack.path.startswith("/")
        assert 200 not in attack.statuses


def test_the_same_seed_mints_the_same_attacks():
    one, other = (make_attacker(RING) for _ in range(2))
    assert [one.mint() for _ in range(50)] == [other.mint() for _ in range(50)]


def test_attacks_are_not_the_same_url_again():
    attacker = make_attacker(RING)
    minted = [attacker.mint_kind("query that busts caches").path for _ in range(100)]
    assert len(set(minted)) == 100

"""Nothing is sent to where it must not go, whatever a name means, and no answer does harm."""

import asyncio
import ipaddress
import socket

import pytest

from render_service.adapters import webhook_sending
from render_service.adapters.webhook_sending import SAID_BYTES_MAX, Sender, parse_networks
from render_service.errors import InvalidSetting
from tests.workers.receiver import Receiver

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def receiver():
    with Receiver().run() as receiver:
        yield receiver


async def send(url, networks=()):
    return await Sender(networks).send(url, b"{}", {"content-type": "application/json"})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.1",
        "localhost",
        "0.0.0.0",  # noqa: S104  # where nothing is sent
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_nothing_is_sent_to_what_is_not_public(receiver, scheme, host):
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    tried = await send(f"{scheme}://{host}:{port}/hook")
    assert tried.status is None
    assert "not public" in tried.said
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
async def test_an_address_in_another_spelling_leads_nowhere(receiver, host):
    tried = await send(receiver.url.replace("127.0.0.1", host))
    assert tried.status is None
    assert receiver.received == []


async def test_what_is_public_is_not_sent_to_in_the_clear():
    tried = await send("http://1.1.1.1/hook")
    assert tried.said == "1.1.1.1 leads to 1.1.1.1: what is public needs https"


async def test_a_network_that_was_named_is_sent_to(receiver):
    tried = await send(receiver.url, LOOPBACK)
    assert (tried.status, tried.is_success) == (200, True)
    (path, headers, body) = receiver.received[0]
    assert (path, headers["content-type"], body) == ("/hook", "application/json", b"{}")


async def test_a_name_that_also_leads_to_what_is_not_public_is_refused(monkeypatch, receiver):
    resolve_as(monkeypatch, ["127.0.0.1", "169.254.169.254"])
    tried = await send(receiver.url.replace("127.0.0.1", "shop.example"), LOOPBACK)
    assert "shop.example leads to 169.254.169.254, which is not public" in tried.said
    assert receiver.received == []


async def test_a_name_is_asked_once_and_what_was_checked_is_connected_to(monkeypatch, receiver):
    asked = resolve_as(monkeypatch, ["127.0.0.1"], then=["169.254.169.254"])
    tried = await send(receiver.url.replace("127.0.0.1", "shop.example"), LOOPBACK)
    assert tried.status == 200
    assert asked == ["shop.example"]


def resolve_as(monkeypatch, addresses, then=()):
    """Have names mean `addresses` the first time, and `then` ever after."""
    asked = []

    async def answer(_, host, port, **__):
        asked.append(host)
        found = addresses if len(asked) == 1 else then
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", answer)
    return asked


async def test_a_redirect_is_not_followed(receiver):
    receiver.answers, receiver.location = [302], receiver.url
    tried = await send(receiver.url, LOOPBACK)
    assert (tried.status, tried.is_success, len(receiver.received)) == (302, False, 1)


async def test_of_an_answer_no_more_is_read_than_is_shown(receiver):
    receiver.body = b"a\0" * 10_000_000
    tried = await send(receiver.url, LOOPBACK)
    assert tried.is_success
    assert 0 < len(tried.said) <= SAID_BYTES_MAX
    assert "\0" not in tried.said


async def test_who_does_not_answer_in_time_did_not_take_it(monkeypatch, receiver):
    monkeypatch.setattr(webhook_sending, "TIMEOUT_S", 0.3)
    receiver.wait_s = 1
    tried = await send(receiver.url, LOOPBACK)
    assert (tried.status, tried.said) == (None, "no answer within 0.3 s")


async def test_who_is_not_there_did_not_take_it():
    tried = await send("http://127.0.0.1:1/hook", LOOPBACK)
    assert tried.status is None
    assert "Connect" in tried.said


def test_networks_are_named_by_their_first_address():
    assert parse_networks("10.0.0.0/8, fd00::/8") == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("fd00::/8"),
    )
    with pytest.raises(InvalidSetting, match=r"RENDER_WEBHOOK_NETWORKS: .*host bits set"):
        parse_networks("10.0.0.1/8")

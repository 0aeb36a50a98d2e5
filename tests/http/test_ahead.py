"""The service draws the next click ahead, and counts what shoppers change to."""

import httpx
import pytest

from tests.http.server import run_server
from tests.servers import wait_until
from tests.telemetry.scrapes import scrape

RESOLVE = "/v1/compositions/ring/resolve"
SHOWN = {"view": "hero", "width": 240, "format": "avif"}


@pytest.fixture
def start(catalogue, tmp_path):
    """Start a service that draws ahead, with `settings`; return a client of it."""
    opened = []

    def start(catalogue=catalogue, **settings):
        running = run_server(catalogue, tmp_path, **{"ahead": 24, **settings})
        server = running.__enter__()
        client = httpx.Client(base_url=server.url, timeout=30)
        opened.append((running, client))
        return client

    yield start
    for running, client in opened:
        client.close()
        running.__exit__(None, None, None)


def resolve(client, **body):
    return client.post(RESOLVE, json=body).json()


def address(client, width=240, extension="avif", **selection):
    src = resolve(client, selection=selection, neighbours=0)["images"]["hero"]["src"]
    return src.rpartition("/")[0] + f"/{width}.{extension}"


def ahead(client, result):
    return scrape(client.base_url).total("render_service_ahead_total", render_service_result=result)


def settle(client, drawn):
    """Wait until `drawn` pictures were made ahead."""
    wait_until(lambda: ahead(client, "made") == drawn, lambda: str(ahead(client, "made")))


def source(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.headers["cache-status"]


def test_after_a_picture_its_neighbours_are_there(start):
    client = start()
    asked = address(client)
    assert "fwd=miss" in source(client, asked)
    settle(client, 3)
    for change in ({"metal": "silver"}, {"gem": "sapphire"}, {"background": "transparent"}):
        assert "hit; detail=memory" in source(client, address(client, **change))


def test_neighbours_are_of_the_width_and_format_just_asked_for(start):
    client = start()
    client.get(address(client, 160, "webp"))
    settle(client, 3)
    assert "hit" in source(client, address(client, 160, "webp", metal="silver"))
    assert "fwd=miss" in source(client, address(client, 320, "webp", metal="silver"))


def test_after_resolve_the_neighbours_are_there_and_the_picture_is_left_to_its_request(start):
    client = start()
    resolve(client, shown=SHOWN)
    settle(client, 3)
    assert "hit; detail=memory" in source(client, address(client, metal="silver"))
    assert "fwd=miss" in source(client, address(client))


def test_who_does_not_say_what_is_shown_has_nothing_drawn(start):
    client = start()
    resolve(client)
    client.get(address(client))
    settle(client, 3)


def test_what_a_store_has_is_not_drawn_again(start):
    client = start()
    client.get(address(client))
    settle(client, 3)
    client.get(address(client, metal="silver"))
    wait_until(lambda: ahead(client, "made") == 4, lambda: str(ahead(client, "made")))
    client.get(address(client))
    client.get(address(client, background="transparent"))
    # Of its three, sapphire alone is new: silver beside transparent was made just before.
    settle(client, 5)


def test_pictures_drawn_ahead_and_asked_for_are_counted_once(start):
    client = start()
    client.get(address(client))
    settle(client, 3)
    for _ in range(3):
        client.get(address(client, metal="silver"))
    assert ahead(client, "asked for") == 1


def test_no_more_are_drawn_for_a_picture_than_the_setting_says(start):
    client = start(ahead=1)
    client.get(address(client))
    settle(client, 1)
    assert "fwd=miss" in source(client, address(client, gem="sapphire"))


def test_nothing_is_drawn_ahead_where_the_setting_is_0(start):
    client = start(ahead=0)
    resolve(client, shown=SHOWN)
    client.get(address(client))
    assert "fwd=miss" in source(client, address(client, metal="silver"))
    assert ahead(client, "made") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/r/ring/hero/0000000000/metal=gold,gem=ruby,background=white/240.avif",
        "/r/ring/hero/{version}/gem=ruby,metal=gold,background=white/240.avif",
        "/r/ring/hero/{version}/metal=brass,gem=ruby,background=white/240.avif",
        "/r/ring/hero/{version}/metal=gold,gem=ruby,background=white/241.avif",
    ],
)
def test_only_the_canonical_address_of_a_picture_has_anything_drawn(start, path):
    client = start()
    version = address(client).split("/")[4]
    assert client.get(path.format(version=version)).status_code != 200
    client.get(address(client, 160, "png", background="transparent"))
    settle(client, 3)


def test_what_shoppers_change_to_comes_first_for_others(start, valkey):
    client = start(redis_url=valkey.url, redis_timeout_s=5)
    for _ in range(2):
        resolve(client, selection={"gem": "sapphire"}, changed="gem")
    resolve(client, selection={"background": "transparent"}, changed="background")

    def order():
        return [n["value"] for n in resolve(client)["neighbours"]]

    wait_until(lambda: order() == ["sapphire", "transparent", "silver"], lambda: str(order()))


def test_counts_hold_nothing_but_options_values_and_numbers(start, valkey):
    client = start(redis_url=valkey.url, redis_timeout_s=5)
    resolve(client, selection={"gem": "sapphire"}, changed="gem")
    resolve(client, selection={"gem": "sapphire", "metal": "silver"}, changed="metal")

    def names():
        return [name for name in valkey.names() if name.startswith("changes/")]

    wait_until(names, lambda: str(valkey.names()))
    assert valkey.hash(names()[0]) == {"gem=sapphire": "1"}


def test_losing_redis_loses_nothing_but_the_ranking(start, valkey):
    client = start(redis_url=valkey.url)
    valkey.pause()
    try:
        answer = resolve(client, selection={"gem": "sapphire"}, changed="gem")
        assert [n["value"] for n in answer["neighbours"]] == ["ruby", "transparent", "silver"]
    finally:
        valkey.resume()

"""Purging at Varnish; free nginx has none."""

import socket

import httpx
import pytest

from tests.edge.conftest import wait_until

pytestmark = pytest.mark.parametrize("site", ["varnish"], indirect=True)


def purge(site, url="/", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.request("PURGE", url, headers=named)


def x_cache(site, url):
    return site.get(url).headers["x-cache"]


def top(site):
    return httpx.get(f"{site.origin.url}/img/ring/top/160.webp").headers["location"]


def test_a_tag_drops_the_pictures_of_its_view_and_no_others(site):
    hero, other = site.picture(), top(site)
    for path in (hero, other):
        site.get(path)

    answer = purge(site, surrogate_key="view:ring.hero")

    assert answer.status_code == 200
    assert [x_cache(site, hero), x_cache(site, other)] == ["MISS", "HIT"]


def test_the_tag_of_a_composition_drops_every_view(site):
    paths = [site.picture(), top(site)]
    for path in paths:
        site.get(path)

    purge(site, surrogate_key="composition:ring")

    assert [x_cache(site, path) for path in paths] == ["MISS", "MISS"]


def test_one_url_is_dropped_without_a_tag(site):
    first, second = site.picture(160), site.picture(240)
    for path in (first, second):
        site.get(path)

    purge(site, first)

    assert [x_cache(site, first), x_cache(site, second)] == ["MISS", "HIT"]


def test_what_is_purged_softly_is_revalidated_not_fetched(site):
    path = site.picture(320)
    tag = site.get(path).headers["etag"]

    purge(site, surrogate_key="view:ring.hero", soft_purge="1")
    stale = site.get(path)

    assert stale.headers["x-cache"] == "STALE"
    wait_until(lambda: site.fetches(path)[-1].get("if-none-match") == tag)


def test_who_is_not_in_the_acl_purges_nothing(site):
    path = site.picture(240, "png")
    site.get(path)

    with socket.create_connection(("127.0.0.1", site.edge.proxied_port)) as wire:
        wire.sendall(
            b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n"
            b"PURGE / HTTP/1.1\r\nHost: edge\r\nSurrogate-Key: composition:ring\r\n\r\n"
        )
        status = wire.recv(4096).split(b"\r\n")[0]

    assert status.split()[1] == b"403"
    assert x_cache(site, path) == "HIT"

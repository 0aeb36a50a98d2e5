"""The alias through a real edge: one object per class of clients, refreshed behind its back."""

import signal

import httpx
import pytest

from tests.edge.conftest import run_site, wait_until
from tests.edge.edges import RUN

BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
ALIAS = "/img/ring/hero/160.auto"

FOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
KINDS = ("image/avif", "image/webp", "image/avif;q=0.9,image/webp;q=0.1", "a/b")
OLD_SAFARI = "image/webp,image/avif;q=0,*/*"


def extension(answer):
    return answer.headers["location"].rpartition(".")[2]


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (BROWSER, "avif"),
        (FOX, "avif"),
        ("image/webp,*/*", "webp"),
        (OLD_SAFARI, "webp"),
        ("image/avif ; q=0.0, image/webp;q=0", "jpg"),
        ("image/avifx,*/*", "jpg"),
        ("*/*", "jpg"),
        ("text/html", "jpg"),
    ],
)
def test_auto_leads_each_class_of_clients_to_its_format(site, accept, sent):
    for _ in range(2):
        answer = site.get("/img/ring/hero/160.auto?gem=ruby", accept=accept)
        assert (answer.status_code, extension(answer)) == (302, sent)
        assert answer.headers["vary"] == "Accept"


def test_many_accept_headers_make_four_fetches(site):
    url = "/img/ring/hero/240.auto?gem=sapphire"
    accepts = [f"{kind},text/x-{n}" for n in range(20) for kind in KINDS]

    for accept in accepts:
        site.get(url, accept=accept)

    assert sorted(fetch["accept"] for fetch in site.fetches(url)) == [
        "*/*",
        "image/avif",
        "image/avif,image/webp",
        "image/webp",
    ]


def test_where_the_url_names_the_format_accept_does_not_matter(site):
    url = "/img/ring/hero/240.webp?gem=sapphire"

    answers = [site.get(url, accept=accept) for accept in (BROWSER, FOX, "image/png")]

    assert {extension(answer) for answer in answers} == {"webp"}
    assert len(site.fetches(url)) == 1
    assert "image/" not in site.fetches(url)[0].get("accept", "")


def test_the_json_api_keeps_its_accept(site):
    url = "/v1/compositions/ring/explain?view=hero&gem=ruby"

    site.get(url, accept="application/json")

    assert site.fetches(url)[0]["accept"] == "application/json"


def test_a_manifest_out_of_date_is_revalidated_by_its_tag(site):
    url = "/v1/compositions/ring"

    def has_placeholders():
        # Made behind the first answers; until then the manifest changes by itself.
        return all(view["placeholder"] for view in site.get(url, max_age=1).json()["views"])

    wait_until(has_placeholders)
    first = site.get(url, max_age=1)
    tag = first.headers["etag"]

    def revalidated():
        site.get(url, max_age=1)
        return [fetch.get("if-none-match") for fetch in site.fetches(url)][-1] == tag

    wait_until(revalidated)
    assert site.get(url, max_age=1).json() == first.json()


def test_a_precondition_does_not_count_for_a_redirect(site):
    for _ in range(2):
        assert site.get("/img/ring/hero/160.jpg?gem=ruby", if_none_match="*").status_code == 302


def test_an_alias_out_of_date_is_sent_at_once_and_asked_for_again(site):
    url = "/img/ring/hero/320.auto?gem=ruby"
    first = site.get(url, accept=BROWSER, max_age=1)

    stale = first_not_fresh(site, url)

    assert stale.headers["x-cache"] == "STALE"
    assert stale.headers["location"] == first.headers["location"]
    wait_until(lambda: site.get(url, accept=BROWSER).headers["x-cache"] == "HIT")
    assert len(site.fetches(url)) == 2


def test_a_refresh_that_is_refused_leaves_what_is_held(site):
    url = "/img/ring/hero/320.auto?background=white"
    site.get(url, accept=BROWSER, max_age=1)

    stale = first_not_fresh(site, url, {"x-refuse": "1"})
    wait_until(lambda: len(site.fetches(url)) == 2)
    again = first_not_fresh(site, url, {"x-refuse": "1"})

    assert [stale.headers["x-cache"], again.headers["x-cache"]] == ["STALE", "STALE"]


def test_while_the_origin_is_silent_what_is_held_is_served(site, silence):
    alias, picture = "/img/ring/hero/160.auto?background=white", site.picture(160, "avif")
    site.get(alias, accept=BROWSER, max_age=1)
    site.get(picture)

    silence()

    assert first_not_fresh(site, alias).headers["x-cache"] == "STALE"
    assert site.get(picture).headers["x-cache"] == "HIT"


def test_while_the_origin_is_dead_what_is_held_is_served(orphan):
    stale = [first_not_fresh(orphan, ALIAS) for _ in range(3)]

    assert [answer.status_code for answer in stale] == [302] * 3
    assert {answer.headers["x-cache"] for answer in stale} == {"STALE"}
    assert orphan.get(stale[0].headers["location"]).headers["x-cache"] == "HIT"


def test_while_the_origin_is_dead_what_is_not_held_says_so(orphan):
    answer = orphan.get(orphan.never_asked)

    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 503
    assert int(answer.headers["retry-after"]) > 0


def first_not_fresh(site, url, headers=None):
    """Ask until the object's time is over; each time as another client, on a connection of its own.

    nginx refreshes on the connection of the client that met the stale object, which therefore
    waits with its next request.
    """
    answers = []

    def is_over():
        sent = {"accept": BROWSER, **(headers or {})}
        answers.append(httpx.get(site.edge.url + url, headers=sent, timeout=60))
        return answers[-1].headers["x-cache"] != "HIT"

    wait_until(is_over)
    return answers[-1]


@pytest.fixture
def silence(site):
    """Stop the origin in its tracks; it goes on after the test."""
    yield lambda: site.origin.process.send_signal(signal.SIGSTOP)
    site.origin.process.send_signal(signal.SIGCONT)
    wait_until(lambda: httpx.get(f"{site.edge.url}/livez", timeout=60).status_code == 200)


@pytest.fixture(scope="module", params=list(RUN))
def orphan(request, catalogue, tmp_path_factory):
    """A site that holds one alias and its picture, and whose origin is dead."""
    with run_site(request.param, catalogue, tmp_path_factory.mktemp("orphan")) as site:
        alias = site.get(ALIAS, accept=BROWSER, max_age=1)
        site.get(alias.headers["location"])
        site.never_asked = site.picture(240, "png")
        site.origin.process.kill()
        site.origin.process.wait()
        yield site

import json
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.edge.edges import ORIGIN, RUN, requests_of
from tests.http.catalogue import write_catalogue
from tests.http.server import run_server

FOR_THE_ORIGIN = ("max-age", "hold", "refuse")


class Site:
    """An edge and its origin, as a test sees them.

    Attributes:
        name: varnish or nginx.
        edge: Where the edge listens.
        origin: The server behind it.
        client: Asks the edge.
    """

    def __init__(self, edge, origin, book, client):
        self.name, self.edge, self.origin, self.client = edge.name, edge, origin, client
        self._book = book

    def get(self, url, **headers):
        """Ask the edge for `url`; `max_age`, `hold` and `refuse` are for the origin."""
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        given = {f"x-{name}" if name in FOR_THE_ORIGIN else name: v for name, v in named.items()}
        return self.client.get(url, headers=given)

    def fetches(self, url=None):
        """Return what the origin was asked, in order, for one URL or for all."""
        if not self._book.exists():
            return []
        entries = [json.loads(line) for line in self._book.read_text().splitlines()]
        return [entry for entry in entries if url in (None, entry["url"])]

    def picture(self, width=160, extension="webp", **selection):
        """Return the canonical path of a picture, from the service itself."""
        query = "&".join(f"{option}={value}" for option, value in selection.items())
        alias = f"{self.origin.url}/img/ring/hero/{width}.{extension}?{query}"
        return httpx.get(alias).headers["location"]


@contextmanager
def run_site(name, catalogue, folder):
    """Run the service and the edge `name` in front of it."""
    with (
        run_server(catalogue, folder, main=ORIGIN) as origin,
        RUN[name](origin.port, folder) as edge,
        httpx.Client(base_url=edge.url, timeout=60) as client,
    ):
        yield Site(edge, origin, requests_of(folder / "data"), client)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="session", params=list(RUN))
def site(request, catalogue, tmp_path_factory):
    with run_site(request.param, catalogue, tmp_path_factory.mktemp(request.param)) as site:
        yield site


def wait_until(true):
    """Wait until `true()` holds; fails after a minute."""
    deadline_s = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)

import asyncio

import httpx
import pytest

from render_service.adapters.migrations import migrate
from tests.http.server import run_server
from tests.postgres import make_database
from tests.releases import publish

KEY = "one:" + "A" * 43
TOKENS = {
    "anna": "a" * 43,
    "ben": "b" * 43,
    "reader": "r" * 43,
}
API_TOKENS = ",".join(
    [
        f"anna:{TOKENS['anna']}",
        f"ben:{TOKENS['ben']}:catalogue:write+release:publish",
        f"reader:{TOKENS['reader']}:jobs:read",
    ]
)


def make_service(server, sound, releases, **store):
    """Settings of a service with drafts: the sound catalogue is live, nothing else is there."""
    publish(sound, releases=releases, **store)
    url = make_database(server)
    asyncio.run(migrate(url))
    return {
        "releases": releases,
        **store,
        "database_url": url,
        "signing_keys": KEY,
        "api_tokens": API_TOKENS,
        "releases_poll_s": 0.1,
        "graceful_stop_s": 1,
        "raster_store_bytes": 0,
    }


@pytest.fixture(scope="module")
def service(postgres_18_server, sound, tmp_path_factory):
    return make_service(postgres_18_server, sound, tmp_path_factory.mktemp("drafts") / "published")


@pytest.fixture(scope="module")
def server(service, tmp_path_factory):
    with run_server("", tmp_path_factory.mktemp("server"), **service) as server:
        yield server


def client_of(server, name):
    headers = {"authorization": f"Bearer {TOKENS[name]}"} if name else {}
    return httpx.Client(base_url=server.url, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def anna(server):
    with client_of(server, "anna") as client:
        yield client


@pytest.fixture(scope="module")
def ben(server):
    with client_of(server, "ben") as client:
        yield client


@pytest.fixture(scope="module")
def nobody(server):
    with client_of(server, None) as client:
        yield client

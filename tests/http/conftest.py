import httpx
import pytest

from tests.http.catalogue import write_catalogue
from tests.http.server import run_server


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="session")
def server(catalogue, tmp_path_factory):
    with run_server(catalogue, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def client(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="session")
def versions(client):
    manifest = client.get("/v1/compositions/ring").json()
    return {view["id"]: view["version"] for view in manifest["views"]}


@pytest.fixture(scope="session")
def picture(versions):
    """The canonical path of a picture of the hero view."""

    def path(
        width=160, extension="webp", metal="gold", gem="ruby", background="white", region=None
    ):
        view = f"hero:{region}" if region else "hero"
        configuration = f"metal={metal},gem={gem},background={background}"
        return f"/r/ring/{view}/{versions['hero']}/{configuration}/{width}.{extension}"

    return path

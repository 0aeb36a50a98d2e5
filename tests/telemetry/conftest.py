import pytest

from tests.http.catalogue import write_catalogue
from tests.telemetry.collector import run_collector


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture
def collector():
    with run_collector() as collector:
        yield collector

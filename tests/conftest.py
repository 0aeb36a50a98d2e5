"""Real servers that several suites share: one of each for the whole run, empty for every test."""

from pathlib import Path

import pytest

from tests.ceph import make_bucket, run_ceph
from tests.postgres import programs_15, programs_18, run_postgres_server
from tests.releases import write_silver, write_sound
from tests.servers import redis_program, run_redis, valkey_program
from tests.shop import make_demo_shop

LONG = (
    "loadtests/test_runs.py",
    "http/test_schemathesis.py",
    "browser/test_page.py",
    "database/test_replicas.py",
    "http/test_old_versions.py",
    "http/test_releases.py",
    "faults/test_disk.py",
    "test_cli.py",
    "loadtests/test_benchmarks.py",
    "test_publish.py",
    "workers/test_chaos.py",
    "workers/test_worker.py",
    "http/test_fleet.py",
    "test_warm.py",
    "telemetry/test_metrics.py",
    "faults/test_fleet.py",
    "http/test_embedded_database.py",
    "http/test_stopping.py",
    "faults/test_redis.py",
    "test_calibrate.py",
    "http/test_ahead.py",
)
"""Files of a minute and more, longest first: begun last, one of them would be waited for alone."""


def pytest_collection_modifyitems(items):
    """Begin with the long files; among others, as they were found."""
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """A catalogue to publish; nobody writes into it."""
    return write_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="session")
def silver(tmp_path_factory):
    """The same with a darker silver: another version of every view."""
    return write_silver(tmp_path_factory.mktemp("silver"))


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory):
    with run_redis(valkey_program(), tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_7_server(tmp_path_factory):
    with run_redis(redis_program(), tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def valkey(valkey_server):
    valkey_server.empty()
    return valkey_server


@pytest.fixture
def redis_7(redis_7_server):
    redis_7_server.empty()
    return redis_7_server


@pytest.fixture(scope="session")
def ceph(tmp_path_factory):
    with run_ceph(tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture
def bucket(ceph, monkeypatch):
    """A bucket of its own for each test, and the credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ceph.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ceph.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return make_bucket(ceph)


@pytest.fixture(scope="session")
def postgres_18_server(tmp_path_factory):
    with run_postgres_server(programs_18(), tmp_path_factory.mktemp("postgres-18")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_15_server(tmp_path_factory):
    with run_postgres_server(programs_15(), tmp_path_factory.mktemp("postgres-15")) as server:
        yield server


@pytest.fixture(scope="session")
def demo_shop(postgres_18_server):
    """Settings of a service that sells the demo's products."""
    return make_demo_shop(postgres_18_server)

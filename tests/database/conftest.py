import asyncio

import pytest

from render_service.adapters.migrations import migrate
from render_service.adapters.postgres import Database
from render_service.adapters.postgres_pool import Limits
from tests.postgres import make_database


@pytest.fixture(scope="session", params=["15", "18"])
def server(request):
    """Each of the two versions in turn."""
    return request.getfixturevalue(f"postgres_{request.param}_server")


@pytest.fixture
def empty(server):
    """The URL of a database of its own, with nothing in it."""
    return make_database(server)


@pytest.fixture
def url(server):
    """The URL of a database of its own, up to date."""
    address = make_database(server)
    asyncio.run(migrate(address))
    return address


@pytest.fixture
async def database(url):
    database = Database(url, limits=Limits(connections=4, wait_s=5, statement_s=5))
    yield database
    await database.close()

import asyncio

import pytest

from tests.faults.service import list_pictures
from tests.http.catalogue import write_catalogue
from tests.rendering.builders import Workshop


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


@pytest.fixture(scope="session")
def pictures(catalogue):
    """Path → body of every picture, drawn here with nothing around that could fail."""

    async def draw():
        workshop = Workshop(catalogue)
        found = list_pictures(workshop)
        served = [await workshop.service.render(planned.plan) for planned in found.values()]
        await workshop.service.close()
        return dict(zip(found, (one.rendition.body for one in served), strict=True))

    return asyncio.run(draw())


@pytest.fixture
def keys(catalogue):
    """Path → key of every picture."""
    workshop = Workshop(catalogue)
    return {path: planned.key for path, planned in list_pictures(workshop).items()}

"""Who does which jobs."""

import asyncio

from render_service.jobs.model import Kind
from render_service.settings import Settings
from render_service.wiring import build_database
from render_service.workers.doings import all_doings


def test_every_kind_of_job_is_done_by_a_worker(tmp_path):
    settings = Settings(
        data=tmp_path, database_url="postgresql://nowhere/shop", signing_keys="one:" + "A" * 43
    )

    async def kinds():
        return set(all_doings(settings, build_database(settings)))

    assert asyncio.run(kinds()) == set(Kind)

"""`render-service migrate`: bring the database up to date, or say what it lacks."""

import asyncio
import sys

from render_service.adapters.migrations import find_lacking, migrate
from render_service.embedded import run_embedded_database
from render_service.errors import InvalidSetting
from render_service.settings import Settings


def bring_up_to_date(settings: Settings, *, only_check: bool) -> int:
    """Apply the migrations that the database lacks; return the exit status.

    Args:
        settings: Say which database.
        only_check: Change nothing: status 1 if it lacks any.
    """
    if not settings.database_url:
        raise InvalidSetting(
            "RENDER_DATABASE_URL names no database: postgresql://…, or `embedded` for the one "
            "that `make run` starts."
        )
    with run_embedded_database(settings, up_to_date=False) as reachable:
        url = reachable.database_direct_url or reachable.database_url
        if only_check:
            return _say_lacking(asyncio.run(find_lacking(url)))
        applied = asyncio.run(migrate(url))
    for name in applied:
        print(f"applied {name}")
    print("The database is up to date.")
    return 0


def _say_lacking(lacking: list[str]) -> int:
    if not lacking:
        print("The database is up to date.")
        return 0
    print(f"The database lacks {', '.join(lacking)}.", file=sys.stderr)
    return 1

"""Every job of a worker: those that need no catalogue, and those that need what is live."""

from collections.abc import Mapping
from typing import Final

from render_service.adapters.postgres import Database
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind
from render_service.settings import Settings
from render_service.supply import read_live_catalogue
from render_service.wiring import build_doings
from render_service.workers.importing import Importing
from render_service.workers.publishing import publish_doing
from render_service.workers.warming import warm_doing

_IMPORT_S: Final = 3600.0
"""100,000 products, at 200 a second and more, take some 8 minutes."""


def all_doings(settings: Settings, database: Database) -> Mapping[Kind, Doing]:
    """Return how each kind of job is done by this process. Asks nobody yet."""
    importing = Importing(database, lambda: read_live_catalogue(settings))
    return {
        **build_doings(settings, database),
        Kind.IMPORT: Doing(handle=importing.handle, limit_s=_IMPORT_S),
        Kind.PUBLISH: publish_doing(settings, database),
        Kind.RENDER: warm_doing(settings),
    }

"""Servers that `serve` brings along where a setting says `embedded`, and what leads to them.

The rule: who gets settings from here never sees `embedded` in them; everything else takes a server
that was brought along for one that was there.
"""

import asyncio
import dataclasses
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from render_service.adapters.embedded_postgres import run_postgres
from render_service.adapters.embedded_valkey import run_valkey
from render_service.adapters.kept_process import environment_with, keep_process
from render_service.adapters.migrations import migrate
from render_service.adapters.own_key import keep_own, new_key
from render_service.auth.tokens import new_token, spell_token
from render_service.environment import environment_of
from render_service.errors import InvalidSetting
from render_service.settings import EMBEDDED, OFF, Settings

_log = logging.getLogger(__name__)

VALKEY: Final = "valkey"
POSTGRES: Final = "postgres"
"""Folders under the data folder."""

OWN_KEY: Final = "signing-key"
OWNER_FILE: Final = "api-token"
"""Files there."""

OWNER: Final = "owner"
"""Whose that token is."""


@contextmanager
def run_embedded(settings: Settings) -> Iterator[Settings]:
    """Run the servers that `settings` want brought along; yield settings that lead to them.

    A service with a database has a key to sign quotes with and a token to write with, if need be
    its own: no other machine knows its products.

    Raises:
        InvalidSetting: Such a server is not installed.
        ServerNotStarted: It did not start.
        MigrationFailed: The database could not be brought up to date.
    """
    with ExitStack() as stack:
        reachable = stack.enter_context(run_embedded_cache(settings))
        if settings.database_url == EMBEDDED:
            reachable = stack.enter_context(run_embedded_database(reachable, is_brief=False))
            reachable = _with_secrets(reachable)
        yield reachable


def _with_secrets(settings: Settings) -> Settings:
    keys, tokens = settings.signing_keys, settings.api_tokens
    try:
        if not tokens:
            file = settings.data / OWNER_FILE
            tokens = spell_token(OWNER, keep_own(file, new_token))
            _log.info("the token of the back office is in %s", file)
        keys = keys or keep_own(settings.data / OWN_KEY, new_key)
    except OSError as error:
        raise InvalidSetting(f"RENDER_DATA: no secret can be kept there: {error}.") from error
    return dataclasses.replace(settings, signing_keys=keys, api_tokens=tokens)


@contextmanager
def run_embedded_worker(settings: Settings, reachable: Settings) -> Iterator[None]:
    """Run a worker beside a service whose database is its own: nobody else could do its jobs.

    Args:
        settings: Say whether the database is.
        reachable: Lead to it, and to the queue; without a queue jobs wait.
    """
    if settings.database_url != EMBEDDED:
        yield
        return
    if not (reachable.queue_url or reachable.redis_url):
        _log.warning("no background work is done: there is no queue (RENDER_REDIS_URL=embedded)")
        yield
        return
    command = [sys.executable, "-m", "render_service", "work"]
    # Its counts are not those of a process that serves, and the address is taken.
    alone = dataclasses.replace(reachable, metrics_address=OFF, metrics_folder="")
    environment = environment_with(environment_of(alone))
    with keep_process("the worker", command, environment, stop_s=reachable.graceful_stop_s + 5):
        yield


@contextmanager
def run_embedded_cache(settings: Settings) -> Iterator[Settings]:
    """Run the Valkey, if it is wanted, and nothing else.

    Raises:
        InvalidSetting: It is not installed.
        ServerNotStarted: It did not start.
    """
    if settings.redis_url != EMBEDDED:
        yield settings
        return
    with run_valkey(settings.data / VALKEY) as url:
        yield dataclasses.replace(settings, redis_url=url)


@contextmanager
def run_embedded_database(
    settings: Settings, *, up_to_date: bool = True, is_brief: bool = True
) -> Iterator[Settings]:
    """Run the PostgreSQL, if it is wanted, and nothing else.

    Args:
        settings: Say whether, and where.
        up_to_date: Bring it up to date: nobody else could have done it.
        is_brief: It is for a command, which ends soon: a service does not borrow it.

    Raises:
        InvalidSetting: It is not installed.
        ServerNotStarted: It did not start.
        MigrationFailed: It could not be brought up to date.
    """
    if settings.database_url != EMBEDDED:
        yield settings
        return
    with run_postgres(settings.data / POSTGRES, is_brief=is_brief) as url:
        for name in asyncio.run(migrate(url)) if up_to_date else ():
            _log.info("applied the migration %s", name)
        yield dataclasses.replace(settings, database_url=url, database_direct_url=url)

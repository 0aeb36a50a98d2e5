"""Redis or Valkey, for whoever keeps something there: explicit timeouts, no retries, our errors.

Left to itself redis-py 8.1 takes 4.6 s to fail at a refused port and 59 s at a server that accepts
and never answers. Here every call ends in its own time, connecting included, and whoever calls
decides what a failure means.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from render_service.errors import InvalidSetting, TierUnavailable

_LONGEST_CALL_S: Final = 5.0
"""Behind the time of each call, in case one is made without: longer than any of them."""

_RESP: Final = 2
"""The protocol that a connection speaks from its first byte; version 3 asks for it first, and
nothing here needs what it adds."""

_CLOSED: Final = "the handler is closed"
"""In the RuntimeError that uvloop 0.22 raises where asyncio has ConnectionResetError."""

_IDLE_MAX: Final = 8
"""Connections kept open that nobody uses: as many as 8 puts at once need; opening one takes 0.2 ms
on one machine. After a burst of a thousand requests the others are closed."""


def connect_redis(url: str) -> Redis:
    """Return a client of the server at `url` (redis://, rediss:// or unix://); no call is made.

    Raises:
        InvalidSetting: `url` is none. Its parts are not repeated: one may be a password.
    """
    try:
        return _client(url)
    except ValueError:
        raise InvalidSetting(
            "RENDER_REDIS_URL is no URL of a Redis; one is redis://:password@host:6379/0."
        ) from None


def _client(url: str) -> Redis:
    pool = _Pool.from_url(
        url,
        socket_timeout=_LONGEST_CALL_S,
        socket_connect_timeout=_LONGEST_CALL_S,
        retry=Retry(NoBackoff(), 0),
        protocol=_RESP,
        # Each would be a round trip more on every new connection.
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis.from_pool(pool)


class _Pool(ConnectionPool):
    """redis-py's pool, which otherwise keeps every connection that was ever needed at once."""

    async def release(self, connection: AbstractConnection) -> None:
        """Give `connection` back, and close the one that was not used for longest if many wait."""
        await super().release(connection)
        # The last to come back is the first to go out again; those before the eighth are closed
        # already, and are opened anew when they are needed.
        idle = self._available_connections
        if len(idle) > _IDLE_MAX:
            await idle[-1 - _IDLE_MAX].disconnect()


@asynccontextmanager
async def redis_call(timeout_s: float) -> AsyncIterator[None]:
    """Give what is inside `timeout_s`, and turn what Redis refuses into TierUnavailable.

    A call that is cut off closes its connection, so its late answer reaches nobody.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise TierUnavailable(f"Redis did not answer within {timeout_s:g} s.") from error
    except (RedisError, OSError) as error:
        raise TierUnavailable(f"Redis: {str(error).rstrip('.')}.") from error
    except RuntimeError as error:
        # uvloop's word for a connection that was reset while nobody looked at it.
        if _CLOSED not in str(error):
            raise
        raise TierUnavailable("Redis: the connection was reset.") from error

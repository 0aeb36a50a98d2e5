"""What shoppers changed to, as counters in Redis: one hash for each composition and week.

A week's counts weigh half of those of the week after, and are gone after four: last year's fashion
ranks nothing. What may be counted is bounded twice: callers count options and values that are on
offer only, and a hash takes no more than so many fields. Within the commands of Redis 7.0.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from redis.asyncio import Redis

from render_service.adapters.redis_connection import redis_call
from render_service.errors import TierUnavailable

WEEK_S: Final = 7 * 24 * 60 * 60
WEEKS: Final = 4
"""Looked back: beyond that a week would weigh less than a sixteenth."""

FIELDS_MAX: Final = 4096
"""Values counted for one composition in a week: forty times those of a large configurator."""

_ADD: Final = """
for field = 3, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[field]) == 1
      or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('HINCRBY', KEYS[1], ARGV[field], ARGV[field + 1])
  end
end
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""

_OFF_THE_PATH: Final = 20
"""Nobody waits for counts: they may take 20 times as long as a look, as storing does."""


class RedisChanges:
    """Counts in one Redis, shared by every process that uses it.

    Attributes:
        timeout_s: The longest that a look on the way to a picture may take; counts take longer.
    """

    def __init__(
        self, client: Redis, *, timeout_s: float, now: Callable[[], float] = time.time
    ) -> None:
        """Count with `client`, which is closed with the counts; `now` is seconds since 1970."""
        self.timeout_s = timeout_s
        self._client, self._now = client, now
        self._add = client.register_script(_ADD)

    async def add(self, composition: str, changes: Mapping[tuple[str, str], int]) -> None:
        words: list[str | int] = [WEEKS * WEEK_S, FIELDS_MAX]
        for (option, value), count in changes.items():
            words += [f"{option}={value}", count]
        async with redis_call(_OFF_THE_PATH * self.timeout_s):
            await self._add(keys=[_name(composition, self._week)], args=words)

    async def read(self, composition: str) -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        async with redis_call(_OFF_THE_PATH * self.timeout_s):
            for age in range(WEEKS):
                counted = await self._client.hgetall(_name(composition, self._week - age))
                for field, count in counted.items():
                    change = _change(field)
                    found[change] = found.get(change, 0.0) + _number(count) / 2**age
        return found

    async def close(self) -> None:
        await self._client.aclose()

    @property
    def _week(self) -> int:
        return int(self._now() // WEEK_S)


def _name(composition: str, week: int) -> str:
    return f"changes/{composition}/{week}"


def _change(field: bytes | str) -> tuple[str, str]:
    text = field if isinstance(field, str) else field.decode(errors="replace")
    option, _, value = text.partition("=")
    return option, value


def _number(count: bytes | str) -> int:
    try:
        return int(count)
    except ValueError:
        raise TierUnavailable("Redis: a count of changes is no number.") from None

"""Who makes a rendition, agreed upon in Redis: a claim that expires unless it is renewed.

The claim is a value that is set if it is absent and expires by the server's clock, so no clock of
ours matters and a dead process is replaced by itself. The value is a token that each claim of a
key raises by one: only its holder can renew or release it, however late it comes. Two claims at
once (a process that was paused) make the same bytes under the same key, and harm nothing.
"""

import asyncio
import contextlib
import time
from typing import Final

from redis.asyncio import Redis

from render_service.adapters.redis_connection import redis_call
from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey

_TAKE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local token = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], token, 'NX', 'PX', ARGV[1])
return token
"""
_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

_COUNT_KEPT_S: Final = 24 * 60 * 60
"""Tokens of a key rise for a day after its last claim: far longer than any process is paused."""

_RENEWALS: Final = 3
"""A claim is renewed three times in its life, so that two renewals may be lost."""

_HELD_AT_MOST_S: Final = 60.0
"""A claim is not renewed beyond this: a render that hangs is then made elsewhere. The largest
picture of the demo catalogue takes under 4 s on a busy core."""

_OFF_THE_PATH: Final = 20
"""Nobody waits for a renewal or a release: they may take 20 times as long as a look."""


class RedisLease:
    """Claims in one Redis, shared by every process that uses it.

    Attributes:
        lease_s: How long a claim lasts that nobody renews.
        timeout_s: The longest that taking or looking may take, connecting included.
    """

    def __init__(self, client: Redis, *, lease_s: float, timeout_s: float) -> None:
        """Keep claims with `client`, which is closed with the lease."""
        self.lease_s, self.timeout_s = lease_s, timeout_s
        self._client = client
        self._take = client.register_script(_TAKE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    async def take(self, key: RenderKey) -> "RedisClaim | None":
        async with redis_call(self.timeout_s):
            keys = [_name(key), f"{_name(key)}/count"]
            token = await self._take(keys=keys, args=[self._lease_ms, _COUNT_KEPT_S])
        if not isinstance(token, int):
            raise TierUnavailable("Redis: the answer to a claim is no number.")
        return RedisClaim(self, key, token) if token else None

    async def is_held(self, key: RenderKey) -> bool:
        async with redis_call(self.timeout_s):
            return bool(await self._client.exists(_name(key)))

    async def close(self) -> None:
        await self._client.aclose()

    async def renew(self, key: RenderKey, token: int) -> bool:
        """Make the claim last for another `lease_s`; return whether it still was ours.

        Raises:
            TierUnavailable: It could not be asked.
        """
        async with redis_call(self.timeout_s * _OFF_THE_PATH):
            return bool(await self._renew(keys=[_name(key)], args=[token, self._lease_ms]))

    async def release(self, key: RenderKey, token: int) -> None:
        """End the claim, if it still is ours.

        Raises:
            TierUnavailable: It could not be asked.
        """
        async with redis_call(self.timeout_s * _OFF_THE_PATH):
            await self._release(keys=[_name(key)], args=[token])

    @property
    def _lease_ms(self) -> int:
        return round(1000 * self.lease_s)


class RedisClaim:
    """A claim that renews itself.

    Attributes:
        token: Which claim of its key this is.
    """

    def __init__(self, lease: RedisLease, key: RenderKey, token: int) -> None:
        self.token = token
        self._lease, self._key = lease, key
        self._renewing = asyncio.create_task(self._keep())

    async def release(self) -> None:
        self._renewing.cancel()
        # One that cannot be released expires.
        with contextlib.suppress(TierUnavailable):
            await self._lease.release(self._key, self.token)

    async def _keep(self) -> None:
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < _HELD_AT_MOST_S:
            await asyncio.sleep(self._lease.lease_s / _RENEWALS)
            with contextlib.suppress(TierUnavailable):
                if not await self._lease.renew(self._key, self.token):
                    return


def _name(key: RenderKey) -> str:
    # In braces: a cluster keeps a claim and its count in one place, as a script needs them.
    return f"leases/{{{key}}}"

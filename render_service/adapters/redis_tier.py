"""Finished renditions in Redis or Valkey: one value each, the picture and its seal.

Values are believed only when their seal agrees, and are never purged for correctness: they expire,
and a server that is short of memory may drop them sooner. Within the commands of Redis 7.0.
"""

from typing import Final

from redis.asyncio import Redis

from render_service.adapters.redis_connection import redis_call
from render_service.adapters.seal import make_seal, store_name, unseal_joined
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition

_PUT_PATIENCE: Final = 20
"""Storing is behind the answer, so it may take 20 times as long as reading: 1 s where a read has
50 ms, which is 4 MiB at 34 Mbit/s."""


class RedisTier:
    """Renditions in one Redis, shared by every process and machine that uses it.

    Attributes:
        timeout_s: The longest a read may take, connecting included.
        expiry_s: How long a rendition is kept after it was put.
        value_bytes_max: The largest picture that is kept; a larger one is left to other tiers.
    """

    name = "redis"

    def __init__(
        self, client: Redis, *, timeout_s: float, expiry_s: int, value_bytes_max: int
    ) -> None:
        """Keep renditions with `client`, which is closed with the tier."""
        self.timeout_s, self.expiry_s = timeout_s, expiry_s
        self.value_bytes_max = value_bytes_max
        self._client = client

    async def get(self, key: RenderKey) -> Rendition | None:
        name = store_name(key)
        async with redis_call(self.timeout_s):
            data = await self._client.get(name)
        return unseal_joined(key, data) if isinstance(data, bytes) else None

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        name = store_name(key)
        if len(rendition.body) > self.value_bytes_max:
            return
        value = rendition.body + make_seal(key, rendition)
        async with redis_call(self.timeout_s * _PUT_PATIENCE):
            await self._client.set(name, value, ex=self.expiry_s)

    async def close(self) -> None:
        await self._client.aclose()

"""News of releases by Redis or Valkey: one channel, no content.

News only say that it is time to look; what is live is read from the store of releases, so news that
are lost, late or forged change nothing.
"""

from collections.abc import AsyncIterator
from typing import Final

from redis.asyncio import Redis

from render_service.adapters.redis_connection import redis_call

_CHANNEL: Final = "releases/live"

_SILENT_S: Final = 15.0
"""A connection that brought nothing for as long is asked whether it still lives."""


class RedisNews:
    """News over one Redis.

    Attributes:
        timeout_s: The longest that telling, or beginning to listen, may take.
    """

    def __init__(self, client: Redis, *, timeout_s: float) -> None:
        """Tell and listen with `client`, which is closed with this."""
        self.timeout_s = timeout_s
        self._client = client

    async def announce(self) -> None:
        async with redis_call(self.timeout_s):
            await self._client.publish(_CHANNEL, b"")

    async def listen(self) -> AsyncIterator[None]:
        async with self._client.pubsub(ignore_subscribe_messages=True) as channel:
            async with redis_call(self.timeout_s):
                await channel.subscribe(_CHANNEL)
            yield
            while True:
                async with redis_call(_SILENT_S + self.timeout_s):
                    message = await channel.get_message(timeout=_SILENT_S)
                if message is None:
                    async with redis_call(self.timeout_s):
                        await channel.ping()
                elif message["type"] == "message":
                    yield

    async def close(self) -> None:
        await self._client.aclose()

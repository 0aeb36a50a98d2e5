"""Calls of an S3 bucket: one client, each call in its own time, what fails as an error of ours.

The rule: a call is bounded by one clock, its attempts included, and no error of botocore leaves an
adapter; who calls says what a bucket that cannot be used is to them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aioboto3
from aiobotocore.config import AioConfig
from aiohttp import ClientError as BrokenTransfer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

ABSENT: Final = ("NoSuchKey", "404", "NotFound")
"""Codes of an object that is not there."""

_ATTEMPTS: Final = 3
"""Nothing here stands in the way of a picture that is held: a cut connection is tried again, by
botocore's standard mode, with its pauses of up to a second or two."""

_CONNECTIONS: Final = 16
"""Calls at once: layer files are large, and a few at a time fill a network as well as many."""


class BucketCalls:
    """The client of one bucket; credentials and region are found as by the AWS tools.

    Args:
        bucket: The bucket, which must exist.
        endpoint: Its server; "" is Amazon's own.
        timeout_s: The longest one call may take, its attempts included.
        unavailable: Makes the error of a bucket that cannot be used, of a reason.

    Attributes:
        place: The bucket, for people.
    """

    def __init__(
        self,
        *,
        bucket: str,
        endpoint: str,
        timeout_s: float,
        unavailable: Callable[[str], Exception],
    ) -> None:
        self.place = f"s3://{bucket}"
        self._endpoint, self._timeout_s = endpoint or None, timeout_s
        self._unavailable = unavailable
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._calls = asyncio.Semaphore(_CONNECTIONS)
        self._client: Any = None

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Any]:
        """Yield the client for one call in its own time; what fails becomes an error of ours."""
        async with self._calls:
            try:
                async with asyncio.timeout(self._timeout_s):
                    yield await self._connected()
            except TimeoutError as error:
                reason = f"{self.place} did not answer within {self._timeout_s:g} s"
                raise self._unavailable(reason) from error
            except (
                ClientError,
                BotoCoreError,
                ResponseParserError,
                BrokenTransfer,
                OSError,
            ) as error:
                raise self._unavailable(f"{self.place}: {error}") from error

    async def close(self) -> None:
        """Let go of the client."""
        await self._open.aclose()

    async def _connected(self) -> Any:  # noqa: ANN401  # botocore makes its clients at run time
        """The client; made at the first call, because it belongs to the event loop."""
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    connect_timeout=self._timeout_s / _ATTEMPTS,
                    read_timeout=self._timeout_s,
                    max_pool_connections=_CONNECTIONS,
                    retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                    # The signature that S3 has since 2014; botocore still signs forms by the old
                    # one, where it is not told.
                    signature_version="s3v4",
                    # Its own checksums are unknown to many servers; digests of ours do instead.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                made = aioboto3.Session().client("s3", endpoint_url=self._endpoint, config=config)
                self._client = await self._open.enter_async_context(made)
        return self._client


def code_of(error: ClientError) -> str:
    """Return the code of an error that the server answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))

"""Releases in an S3 bucket: an object for each document, and conditions that the server checks.

What never changes is put `If-None-Match: *`, the live document `If-Match` the one that was read, so
the store and not the publisher decides who was first. What is read is believed only when it is
complete and has the digest it was stored with.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aioboto3
from aiobotocore.config import AioConfig
from aiohttp import ClientError as BrokenTransfer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from render_service.errors import ReleasesUnavailable, ReleaseUnreadable
from render_service.releases.model import DOCUMENT_BYTES_MAX, LIVE, check_whole, is_name
from render_service.releases.ports import Pointer

_ATTEMPTS: Final = 3
"""Nothing here stands in the way of a picture that is held: a cut connection is tried again, by
botocore's standard mode, with its pauses of up to a second or two."""

_CONNECTIONS: Final = 16
"""Calls at once: layer files are large, and a few at a time fill a network as well as many."""

_TAKEN: Final = ("PreconditionFailed", "ConditionalRequestConflict")
_ABSENT: Final = ("NoSuchKey", "404", "NotFound")
_FOREVER: Final = "private, max-age=31536000, immutable"


class ReleaseBucket:
    """A store of releases in one bucket; credentials and region are found as by the AWS tools.

    Attributes:
        bucket: The bucket, which must exist.
        timeout_s: The longest one call may take, its attempts included.
    """

    def __init__(self, *, bucket: str, endpoint: str, timeout_s: float) -> None:
        """Keep releases in `bucket` at `endpoint`; "" is Amazon's own."""
        self.bucket, self.timeout_s = bucket, timeout_s
        self._endpoint = endpoint or None
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._calls = asyncio.Semaphore(_CONNECTIONS)
        self._client: Any = None

    @property
    def place(self) -> str:
        return f"s3://{self.bucket}"

    async def get(self, name: str, *, bytes_max: int) -> bytes | None:
        if not is_name(name):
            return None
        async with self._call() as client:
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            data = await _read(name, answer, bytes_max)
        check_whole(name, data)
        return data

    async def has(self, name: str) -> bool:
        if not is_name(name):
            return False
        async with self._call() as client:
            try:
                await client.head_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
        return True

    async def put(self, name: str, data: bytes, *, replace: bool = False) -> bool:
        if not is_name(name) or name == LIVE:
            raise ValueError(f"{name!r} is no name of a document")
        condition = {} if replace else {"IfNoneMatch": "*"}
        return await self._put(name, data, CacheControl=_FOREVER, **condition)

    async def read_live(self, known: Pointer | None = None) -> Pointer | None:
        condition = {} if known is None or not known.tag else {"IfNoneMatch": known.tag}
        async with self._call() as client:
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=LIVE, **condition)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                if _code(error) in ("304", "NotModified"):
                    return known
                raise
            data = await _read(LIVE, answer, DOCUMENT_BYTES_MAX)
        check_whole(LIVE, data)
        return Pointer(answer["ETag"], data)

    async def move_live(self, data: bytes, expected: Pointer | None) -> bool:
        # Bare, as in Amazon's own examples: Ceph 16 compares the header without its quotes.
        condition = {"IfMatch": expected.tag.strip('"')} if expected else {"IfNoneMatch": "*"}
        try:
            if await self._put(LIVE, data, CacheControl="no-store", **condition):
                return True
        except ReleasesUnavailable:
            # The answer is lost, not what was asked: the live document says what became of it.
            return await self._is_live(data)
        # A second attempt of ours is refused where the first one was done and its answer lost.
        return await self._is_live(data)

    async def recall_live(self) -> Pointer | None:
        return None

    async def close(self) -> None:
        await self._open.aclose()

    async def _is_live(self, data: bytes) -> bool:
        found = await self.read_live()
        return found is not None and found.data == data

    async def _put(self, name: str, data: bytes, **words: str) -> bool:
        """Put an object; return False where a condition among `words` does not hold."""
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        async with self._call() as client:
            try:
                await client.put_object(
                    Bucket=self.bucket,
                    Key=name,
                    Body=data,
                    # The server refuses a body that arrived otherwise.
                    ContentMD5=base64.b64encode(md5).decode(),
                    ContentType="application/octet-stream",
                    **words,
                )
            except ClientError as error:
                if _code(error) in _TAKEN:
                    return False
                raise
        return True

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[Any]:
        """Yield the client for one call in its own time; what fails becomes an error of ours."""
        async with self._calls:
            try:
                async with asyncio.timeout(self.timeout_s):
                    yield await self._connected()
            except TimeoutError as error:
                reason = f"{self.place} did not answer within {self.timeout_s:g} s"
                raise ReleasesUnavailable(reason) from error
            except (
                ClientError,
                BotoCoreError,
                ResponseParserError,
                BrokenTransfer,
                OSError,
            ) as error:
                raise ReleasesUnavailable(f"{self.place}: {error}") from error

    async def _connected(self) -> Any:  # noqa: ANN401  # botocore makes its clients at run time
        """The client; made at the first call, because it belongs to the event loop."""
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    connect_timeout=self.timeout_s / _ATTEMPTS,
                    read_timeout=self.timeout_s,
                    max_pool_connections=_CONNECTIONS,
                    retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                    # Its own checksums are unknown to many servers; digests of ours do instead.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                made = aioboto3.Session().client("s3", endpoint_url=self._endpoint, config=config)
                self._client = await self._open.enter_async_context(made)
        return self._client


async def _read(name: str, answer: Any, bytes_max: int) -> bytes:  # noqa: ANN401
    """Read the body of an answer, unless it is over the limit; one cut short raises."""
    size_bytes = answer["ContentLength"]
    async with answer["Body"] as stream:
        if size_bytes > bytes_max:
            problem = f"has {size_bytes} bytes; at most {bytes_max} are read"
            raise ReleaseUnreadable(name, problem, too_large=True)
        data: bytes = await stream.read()
    return data


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))

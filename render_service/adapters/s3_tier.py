"""Finished renditions in an S3 bucket: the bare picture, its seal among the object's metadata.

An object is put only if absent and never changes, so it says so: with its content type and its
immutable Cache-Control a CDN may read the bucket directly. What is read is believed only when
length, digest and seal agree; an object that does not agree is removed, so that it can be put anew.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import aioboto3
from aiobotocore.config import AioConfig
from aiohttp import ClientError as BrokenTransfer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from render_service.adapters.seal import make_seal, store_name, unseal
from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import IMMUTABLE, Rendition

_PUT_PATIENCE: Final = 50
"""Storing is behind the answer, so it may take 50 times as long as reading: 10 s where a read has
0.2 s. Nothing is tried again here: `rendering/tiers.py` offers it again."""

_CONNECTIONS: Final = 64
"""More than calls may be under way: 32 reads and 8 writes (see `rendering/breaker.py`)."""

_SEAL: Final = "seal"
"""The name of the seal, in hex, in the object's metadata (`x-amz-meta-seal`)."""


class S3Tier:
    """Renditions in one bucket; credentials and region are found as the AWS tools find them.

    Attributes:
        bucket: The bucket, which must exist.
        timeout_s: The longest a read may take, connecting included.
        object_bytes_max: The largest picture that is kept, or believed.
    """

    name = "s3"

    def __init__(
        self, *, bucket: str, endpoint: str, timeout_s: float, object_bytes_max: int
    ) -> None:
        """Keep renditions in `bucket` at `endpoint`; "" is Amazon's own."""
        self.bucket, self.timeout_s = bucket, timeout_s
        self.object_bytes_max = object_bytes_max
        self._endpoint = endpoint or None
        self._open = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: Any = None

    async def get(self, key: RenderKey) -> Rendition | None:
        name = store_name(key)
        client = await self._connected()
        async with _s3_call(self.timeout_s):
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if _code(error) == "NoSuchKey":
                    return None
                raise
            async with answer["Body"] as stream:
                whole = answer["ContentLength"] <= self.object_bytes_max
                body = await stream.read() if whole else b""
        rendition = unseal(key, body, _seal_of(answer["Metadata"]))
        if rendition is None:
            async with _s3_call(self.timeout_s * _PUT_PATIENCE):
                await client.delete_object(Bucket=self.bucket, Key=name)
        return rendition

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        name, body = store_name(key), rendition.body
        if len(body) > self.object_bytes_max:
            return
        client = await self._connected()
        md5 = hashlib.md5(body, usedforsecurity=False).digest()
        async with _s3_call(self.timeout_s * _PUT_PATIENCE):
            try:
                await client.put_object(
                    Bucket=self.bucket,
                    Key=name,
                    Body=body,
                    # The server refuses a body that arrived otherwise.
                    ContentMD5=base64.b64encode(md5).decode(),
                    ContentType=rendition.media_type,
                    CacheControl=IMMUTABLE,
                    Metadata={_SEAL: make_seal(key, rendition).hex()},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                # Stored already, or by another at this moment: the same key is the same picture.
                if _code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
                    raise

    async def close(self) -> None:
        await self._open.aclose()

    async def _connected(self) -> Any:  # noqa: ANN401  # botocore makes its clients at run time
        """The client; made at the first call, because it belongs to the event loop."""
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    connect_timeout=self.timeout_s,
                    read_timeout=self.timeout_s * _PUT_PATIENCE,
                    max_pool_connections=_CONNECTIONS,
                    retries={"total_max_attempts": 1},
                    # Its own checksums are unknown to many servers; the MD5 and the seal do.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                made = aioboto3.Session().client("s3", endpoint_url=self._endpoint, config=config)
                with _s3_errors():
                    self._client = await self._open.enter_async_context(made)
        return self._client


@asynccontextmanager
async def _s3_call(timeout_s: float) -> AsyncIterator[None]:
    """Give what is inside `timeout_s`, and turn what the store refuses into TierUnavailable."""
    try:
        with _s3_errors():
            async with asyncio.timeout(timeout_s):
                yield
    except TimeoutError as error:
        raise TierUnavailable(f"S3 did not answer within {timeout_s:g} s.") from error


@contextmanager
def _s3_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except (ClientError, BotoCoreError, ResponseParserError, BrokenTransfer, OSError) as error:
        raise TierUnavailable(f"S3: {str(error).rstrip('.')}.") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _seal_of(metadata: Mapping[str, str]) -> bytes:
    try:
        return bytes.fromhex(metadata.get(_SEAL, ""))
    except ValueError:
        return b""

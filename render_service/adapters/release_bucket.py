"""Releases in an S3 bucket: an object for each document, and conditions that the server checks.

What never changes is put `If-None-Match: *`, the live document `If-Match` the one that was read, so
the store and not the publisher decides who was first. What is read is believed only when it is
complete and has the digest it was stored with.
"""

import base64
import hashlib
from typing import Any, Final

from botocore.exceptions import ClientError

from render_service.adapters.bucket_calls import ABSENT, BucketCalls, code_of
from render_service.errors import ReleasesUnavailable, ReleaseUnreadable
from render_service.releases.model import DOCUMENT_BYTES_MAX, LIVE, check_whole, is_name
from render_service.releases.ports import Pointer

_TAKEN: Final = ("PreconditionFailed", "ConditionalRequestConflict")
_FOREVER: Final = "private, max-age=31536000, immutable"


class ReleaseBucket:
    """A store of releases in one bucket; credentials and region are found as by the AWS tools.

    Attributes:
        bucket: The bucket, which must exist.
    """

    def __init__(self, *, bucket: str, endpoint: str, timeout_s: float) -> None:
        """Keep releases in `bucket` at `endpoint`; "" is Amazon's own."""
        self.bucket = bucket
        self._calls = BucketCalls(
            bucket=bucket, endpoint=endpoint, timeout_s=timeout_s, unavailable=ReleasesUnavailable
        )

    @property
    def place(self) -> str:
        return self._calls.place

    async def get(self, name: str, *, bytes_max: int) -> bytes | None:
        if not is_name(name):
            return None
        async with self._calls.call() as client:
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                raise
            data = await _read(name, answer, bytes_max)
        check_whole(name, data)
        return data

    async def has(self, name: str) -> bool:
        if not is_name(name):
            return False
        async with self._calls.call() as client:
            try:
                await client.head_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if code_of(error) in ABSENT:
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
        async with self._calls.call() as client:
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=LIVE, **condition)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                if code_of(error) in ("304", "NotModified"):
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
        await self._calls.close()

    async def _is_live(self, data: bytes) -> bool:
        found = await self.read_live()
        return found is not None and found.data == data

    async def _put(self, name: str, data: bytes, **words: str) -> bool:
        """Put an object; return False where a condition among `words` does not hold."""
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        async with self._calls.call() as client:
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
                if code_of(error) in _TAKEN:
                    return False
                raise
        return True


async def _read(name: str, answer: Any, bytes_max: int) -> bytes:  # noqa: ANN401
    """Read the body of an answer, unless it is over the limit; one cut short raises."""
    size_bytes = answer["ContentLength"]
    async with answer["Body"] as stream:
        if size_bytes > bytes_max:
            problem = f"has {size_bytes} bytes; at most {bytes_max} are read"
            raise ReleaseUnreadable(name, problem, too_large=True)
        data: bytes = await stream.read()
    return data

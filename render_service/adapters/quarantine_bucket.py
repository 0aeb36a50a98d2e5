"""Quarantine in an S3 bucket: forms are presigned, and the server itself holds a post to its form.

The rule: the file never passes through us on its way in, so the policy says everything that may be
taken: the one key, the one Content-Type, the length, the time.
"""

import time
from typing import Any, Final

from botocore.exceptions import ClientError

from render_service.adapters.bucket_calls import ABSENT, BucketCalls, code_of
from render_service.assets.quarantine import Form, Slot
from render_service.errors import UploadsUnavailable

_PREFIX: Final = "quarantine/"
"""Of every key: a life-cycle rule of the bucket may remove what is left there for a day."""


class QuarantineBucket:
    """Implements `Quarantine` in a bucket, which must exist and be private."""

    def __init__(self, *, bucket: str, endpoint: str, timeout_s: float) -> None:
        """Use `bucket` at `endpoint` ("" is Amazon's own); a call may take `timeout_s`."""
        self.bucket = bucket
        self._calls = BucketCalls(
            bucket=bucket, endpoint=endpoint, timeout_s=timeout_s, unavailable=UploadsUnavailable
        )

    @property
    def place(self) -> str:
        return self._calls.place

    async def offer(self, slot: Slot) -> Form:
        typed = {"Content-Type": slot.media_type}
        async with self._calls.call() as client:
            made = await client.generate_presigned_post(
                Bucket=self.bucket,
                Key=_PREFIX + slot.name,
                Fields=typed,
                Conditions=[typed, ["content-length-range", slot.least_bytes, slot.most_bytes]],
                ExpiresIn=max(0, slot.expires_s - int(time.time())),
            )
        return Form(url=made["url"], fields=made["fields"])

    async def size(self, name: str) -> int | None:
        async with self._calls.call() as client:
            try:
                answer = await client.head_object(Bucket=self.bucket, Key=_PREFIX + name)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                raise
        return int(answer["ContentLength"])

    async def fetch(self, name: str, *, bytes_max: int) -> bytes | None:
        async with self._calls.call() as client:
            try:
                answer = await client.get_object(Bucket=self.bucket, Key=_PREFIX + name)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                raise
            return await _read(answer, bytes_max)

    async def remove(self, name: str) -> None:
        async with self._calls.call() as client:
            await client.delete_object(Bucket=self.bucket, Key=_PREFIX + name)

    async def close(self) -> None:
        await self._calls.close()


async def _read(answer: Any, bytes_max: int) -> bytes | None:  # noqa: ANN401  # botocore's own
    async with answer["Body"] as stream:
        if answer["ContentLength"] > bytes_max:
            return None
        data: bytes = await stream.read()
    return data

"""The check of an uploaded file, as a job: quarantine → the store of assets, or a reason why not.

The rule: the bytes that were checked are the bytes that are kept. The file is put under its digest
before its row says so, which is safe to do twice; the row and the end of the job are one
transaction; only then is it removed from quarantine, and what is left there is swept.
"""

import asyncio
import hashlib
import logging
from typing import Any, Final

from render_service.assets.model import Facts, Upload, UploadStatus
from render_service.assets.ports import AssetStore, Attempt, Checker, UploadTable
from render_service.assets.quarantine import Quarantine
from render_service.errors import FileRefused, RefusedFor, UploadsUnavailable

_log = logging.getLogger(__name__)

_STEPS: Final = 3


class Ingest:
    """Checks uploads.

    Args:
        table: Keeps what came of them.
        quarantine: Where their files are.
        store: Where accepted ones are put.
        checker: Opens them.
    """

    def __init__(
        self, *, table: UploadTable, quarantine: Quarantine, store: AssetStore, checker: Checker
    ) -> None:
        self._table, self._quarantine = table, quarantine
        self._store, self._checker = store, checker

    async def handle(self, attempt: Attempt) -> Any:  # noqa: ANN401  # a job's result is JSON
        """Check the upload that the job's payload names; return what came of it.

        Raises:
            UploadsUnavailable, ReleasesUnavailable, DatabaseUnavailable: Try again later.
        """
        upload = await self._table.get(attempt.job.payload["upload"])
        if upload.status is UploadStatus.CHECKING:
            try:
                await self._accept(upload, attempt)
            except FileRefused as error:
                await self._table.refuse(upload, error, attempt.finish)
            upload = await self._table.get(upload.id)
        await self._clear(upload)
        return {"upload": upload.id, "status": upload.status, "reason": upload.reason}

    async def _accept(self, upload: Upload, attempt: Attempt) -> None:
        announced = upload.announced
        await attempt.report(0, _STEPS, "reading")
        data = await self._quarantine.fetch(upload.id, bytes_max=announced.bytes)
        data = await asyncio.to_thread(_compare, upload, data)
        await attempt.report(1, _STEPS, "checking")
        facts: Facts = await self._checker.check(announced, data)
        await attempt.report(2, _STEPS, "keeping")
        await self._store.put(announced.sha256, data)
        await self._table.accept(upload, facts, attempt.finish)

    async def _clear(self, upload: Upload) -> None:
        """Remove the file from quarantine; one that stays is swept later."""
        try:
            await self._quarantine.remove(upload.id)
            await self._table.note_cleared([upload.id])
        except UploadsUnavailable as error:
            _log.warning("%s stays in quarantine for now: %s", upload.id, error.reason)


def _compare(upload: Upload, data: bytes | None) -> bytes:
    """Return the file that was announced; refuse any other."""
    announced = upload.announced
    if data is None or len(data) != announced.bytes:
        found = "is gone from quarantine, or longer" if data is None else f"has {len(data)} bytes"
        raise FileRefused(
            RefusedFor.LENGTH,
            f"It {found}; {announced.bytes} bytes were announced. Send it again.",
        )
    digest = hashlib.sha256(data).hexdigest()
    if digest != announced.sha256:
        raise FileRefused(
            RefusedFor.DIGEST,
            f"Its SHA-256 is {digest}, and {announced.sha256} was announced: it was changed on its "
            "way, or is another file. Send it again.",
        )
    return data

"""Uploads from their beginning to the job that checks them, and the sweeping of what is left.

The rule: the file goes from its maker straight into quarantine, and from there to nobody but the
check; these steps move only words about it.
"""

from typing import Final, NamedTuple

from render_service.assets.model import Announced, Asset, Upload, UploadStatus
from render_service.assets.ports import UploadTable
from render_service.assets.quarantine import FORM_S, Form, Quarantine, Slot
from render_service.errors import UploadExpired, UploadNotArrived

OPEN_MAX: Final = 200
"""Uploads that a caller may have open: all layers of a large ring at once; of 64 MiB each, the most
there may be in quarantine of one caller is 12.5 GiB."""

GRACE_S: Final = FORM_S
"""After its time a file may still be on its way for as long again, and is swept away only then."""

FORGET_S: Final = 30 * 24 * 60 * 60
"""A month: who wonders why a file was refused has asked by then."""

_SWEPT_AT_ONCE: Final = 100


class Begun(NamedTuple):
    """An upload, and the form that its file is sent with."""

    upload: Upload
    form: Form


class Uploads:
    """Begins uploads, has them checked, and tells how they are.

    Args:
        table: Keeps them.
        quarantine: Where their files wait.
        bytes_max: The most that a file may have.
    """

    def __init__(self, table: UploadTable, quarantine: Quarantine, *, bytes_max: int) -> None:
        self._table, self._quarantine = table, quarantine
        self.bytes_max = bytes_max

    async def begin(self, announced: Announced, by: str) -> Begun:
        """Begin an upload.

        Raises:
            TooManyUploads: The caller has too many open.
            UploadsUnavailable: No form can be made.
            DatabaseUnavailable: It cannot be kept.
        """
        upload = await self._table.begin(announced, by, form_s=FORM_S, most=OPEN_MAX)
        slot = Slot(
            name=upload.id,
            media_type=announced.media_type,
            least_bytes=announced.bytes,
            most_bytes=announced.bytes,
            expires_s=int(upload.expires.timestamp()),
        )
        return Begun(upload, await self._quarantine.offer(slot))

    async def complete(self, upload_id: str, by: str) -> Upload:
        """Have an upload checked whose file has arrived; one that is checked stays as it is.

        Raises:
            UnknownUpload: There is none of that id.
            UploadNotArrived: Its file is not there.
            UploadExpired: It is not, and will not be.
            UploadsUnavailable: Quarantine cannot be asked.
        """
        upload = await self.get(upload_id)
        if upload.status in (UploadStatus.WAITING, UploadStatus.EXPIRED):
            if await self._quarantine.size(upload.id) is None:
                is_over = upload.status is UploadStatus.EXPIRED
                raise (UploadExpired if is_over else UploadNotArrived)(upload.id)
            upload = await self._table.complete(upload.id, by)
        return upload

    async def get(self, upload_id: str) -> Upload:
        """Return an upload as it stands.

        Raises:
            UnknownUpload: There is none of that id.
        """
        return await self._table.get(upload_id)

    async def get_asset(self, sha256: str) -> Asset:
        """Return what is known of an accepted file.

        Raises:
            UnknownAsset: There is none of that digest.
        """
        return await self._table.get_asset(sha256)

    async def sweep(self) -> int:
        """Remove from quarantine what nobody waits for, forget old uploads; return how many went.

        Raises:
            UploadsUnavailable: Quarantine cannot be used; what went is noted.
        """
        swept = 0
        while found := await self._table.list_to_clear(grace_s=GRACE_S, limit=_SWEPT_AT_ONCE):
            for upload in found:
                await self._quarantine.remove(upload)
            await self._table.note_cleared(found)
            swept += len(found)
        return swept + await self._table.forget(after_s=FORGET_S)

    async def close(self) -> None:
        """Let go of quarantine."""
        await self._quarantine.close()

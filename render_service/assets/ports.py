"""What uploads need of the outside world: a table, a store, and who opens files.

Quarantine has a file of its own (quarantine.py). The rule of the check: what it does outside of the
database is safe to do twice, what it does inside ends the job in the same transaction.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from render_service.assets.model import Announced, Asset, Facts, Upload
from render_service.errors import FileRefused

Finish = Callable[[Any, Any], Awaitable[None]]
"""Ends a job with a result, in the transaction of the connection that it is given."""


class UploadTable(Protocol):
    """Keeps uploads and assets; DatabaseUnavailable is raised where it cannot be asked."""

    async def begin(self, announced: Announced, by: str, *, form_s: int, most: int) -> Upload:
        """Keep a new upload, whose form is good for `form_s` seconds.

        Raises:
            TooManyUploads: Its caller has `most` open.
        """
        ...

    async def get(self, upload: str) -> Upload:
        """Return an upload.

        Raises:
            UnknownUpload: There is none of that id.
        """
        ...

    async def complete(self, upload: str, by: str) -> Upload:
        """Order the check of an upload that waits, and return it; any other is returned as it is.

        Raises:
            UnknownUpload: There is none of that id.
        """
        ...

    async def accept(self, upload: Upload, facts: Facts, finish: Finish) -> None:
        """Keep that its file passed, as an asset, and end its job."""
        ...

    async def refuse(self, upload: Upload, refused: FileRefused, finish: Finish) -> None:
        """Keep that its file did not pass, and why, and end its job."""
        ...

    async def list_to_clear(self, *, grace_s: int, limit: int) -> Sequence[str]:
        """Return ids of uploads that are over and whose files may still be in quarantine."""
        ...

    async def note_cleared(self, uploads: Sequence[str]) -> None:
        """Keep that their files are gone; those that were never completed are forgotten."""
        ...

    async def forget(self, *, after_s: int) -> int:
        """Forget uploads that were judged so long ago; return how many. Assets stay."""
        ...

    async def get_asset(self, sha256: str) -> Asset:
        """Return an asset.

        Raises:
            UnknownAsset: There is none of that digest.
        """
        ...


class AssetStore(Protocol):
    """Keeps accepted files under their digests, where releases find their layers."""

    async def put(self, sha256: str, data: bytes) -> None:
        """Keep `data`, unless it is there already.

        Raises:
            ReleasesUnavailable: It could not be kept.
        """
        ...

    async def get(self, sha256: str, *, bytes_max: int) -> bytes | None:
        """Return what is kept under `sha256`, or None.

        Raises:
            ReleaseUnreadable: It is damaged, or over `bytes_max`.
            ReleasesUnavailable: It could not be read.
        """
        ...


class Checker(Protocol):
    """Opens files of strangers."""

    async def check(self, announced: Announced, data: bytes) -> Facts:
        """Return what a file is.

        Raises:
            FileRefused: It cannot be kept.
        """
        ...


class Attempt(Protocol):
    """One attempt at a job, as far as it matters here: `jobs.ports.Task`."""

    @property
    def job(self) -> Any:  # noqa: ANN401  # jobs are no business of assets but for their payload
        """The job, with its payload."""
        ...

    async def report(self, done: int, total: int = 0, note: str = "") -> None:
        """Say how far it is."""
        ...

    async def finish(self, connection: Any, result: Any) -> None:  # noqa: ANN401  # passed through
        """End the job with `result` in the transaction of `connection`."""
        ...

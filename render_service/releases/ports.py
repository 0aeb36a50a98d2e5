"""What releases need of the outside world: a store, and news of what is published.

A store keeps documents that never change, and one that does: the live state, which is moved by
compare-and-set, so that of two publishers at once one wins and the other is told.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol


class Pointer(NamedTuple):
    """The live document as it was read.

    Attributes:
        tag: What it was compared by; the store's own.
        data: The document.
    """

    tag: str
    data: bytes


class ReleaseStore(Protocol):
    """Where what is published is kept; names are those of `releases/model.py`."""

    @property
    def place(self) -> str:
        """Where that is, for people."""
        ...

    async def get(self, name: str, *, bytes_max: int) -> bytes | None:
        """Return what is stored under `name`, checked by its digest; None where nothing is.

        Raises:
            ReleaseUnreadable: It is damaged, or over `bytes_max`.
            ReleasesUnavailable: The store could not be asked.
        """
        ...

    async def has(self, name: str) -> bool:
        """Return whether something is stored under `name`.

        Raises:
            ReleasesUnavailable: The store could not be asked.
        """
        ...

    async def put(self, name: str, data: bytes, *, replace: bool = False) -> bool:
        """Store `data` under `name`, whole or not at all; return False where `name` was taken.

        Args:
            name: A name that is not `LIVE`.
            data: The bytes, which must agree with the name.
            replace: Take the place of what is there: for documents found damaged.

        Raises:
            ReleasesUnavailable: It could not be stored.
        """
        ...

    async def read_live(self, known: Pointer | None = None) -> Pointer | None:
        """Return the live document; `known` itself if it is still that, None if there is none.

        Raises:
            ReleaseUnreadable: It is damaged.
            ReleasesUnavailable: The store could not be asked.
        """
        ...

    async def move_live(self, data: bytes, expected: Pointer | None) -> bool:
        """Make `data` live if `expected` still is; return False, and change nothing, otherwise.

        Args:
            data: The new document, sealed, and unlike any that was live before.
            expected: What was read; None where there was none.

        Raises:
            ReleasesUnavailable: It could not be moved, or nobody knows whether it was.
        """
        ...

    async def recall_live(self) -> Pointer | None:
        """Return the last live document that this machine keeps a copy of, or None.

        For starting while the store is away; a store that is on this machine has no copies.
        """
        ...

    async def close(self) -> None:
        """Let go of what the store holds open."""
        ...


class ReleaseNews(Protocol):
    """Says at once that the live state moved; whoever misses it finds out by looking."""

    async def announce(self) -> None:
        """Tell everyone who listens.

        Raises:
            TierUnavailable: They could not be told.
        """
        ...

    def listen(self) -> AsyncIterator[None]:
        """Yield once when it begins to listen, and then for each announcement.

        Raises:
            TierUnavailable: It can no longer listen; listen anew after a while.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds open."""
        ...

"""What drafts need of the outside world: a place to be kept, with what was done beside them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from render_service.drafts.activity import Act, Entry, Sought
from render_service.drafts.model import Begun, Documents, Draft, Page, Place, Preview

Edit = Callable[[Documents], Documents]
"""Documents → those they become; pure, as it may be run again."""


class Shown(NamedTuple):
    """What an address of a preview is of."""

    draft: str
    revision: int


class DraftStore(Protocol):
    """Keeps drafts, and who did what; each change is noted in the transaction that makes it."""

    async def create(self, begun: Begun, who: str, preview: Preview) -> Draft:
        """Keep a new draft.

        Raises:
            DatabaseUnavailable: It cannot be asked; nothing was kept. As by all of these.
        """
        ...

    async def get(self, draft: str) -> Draft:
        """Return a draft.

        Raises:
            UnknownDraft: There is none of that id.
        """
        ...

    async def list_all(self, limit: int, after: Place | None) -> Page:
        """Return drafts, the last changed first."""
        ...

    async def change(
        self, draft: str, revision: int | None, edit: Edit, who: str, preview: Preview
    ) -> Draft:
        """Make a new revision of a draft with what `edit` returns; the same documents make none.

        Args:
            draft: Its id.
            revision: What is known of it; None: whatever it is.
            edit: Returns the documents that it shall have.
            who: For the note.
            preview: Of the new revision.

        Raises:
            UnknownDraft: There is none of that id.
            DraftMoved: It has another revision.
        """
        ...

    async def note_base(self, draft: str, base: str) -> None:
        """Note that a draft was published as the release `base`; a draft that is gone is left."""
        ...

    async def set_preview(self, draft: str, preview: Preview | None, who: str) -> Draft:
        """Give the revision of a draft other addresses, or none.

        Raises:
            UnknownDraft: There is none of that id.
        """
        ...

    async def find_preview(self, preview: bytes) -> Shown | None:
        """Return what a preview is of; None where it was revoked, is over, or never was."""
        ...

    async def delete(self, draft: str, revision: int | None, who: str) -> None:
        """Forget a draft.

        Raises:
            UnknownDraft: There is none of that id.
            DraftMoved: It has another revision.
        """
        ...

    async def begin_publication(self, act: Act) -> Entry:
        """Note what is about to be done elsewhere; return the entry."""
        ...

    async def end_publication(self, act: Act) -> None:
        """Note what came of it, tell who listens, and what its draft is based on from now on.

        All of it once: where the end is noted already, nothing is done.
        """
        ...

    async def list_open(self) -> Sequence[Entry]:
        """Return what was about to be done elsewhere and has no end yet, oldest first."""
        ...

    async def list_activity(self, sought: Sought) -> Sequence[Entry]:
        """Return what was done."""
        ...

"""Where drafts are worked on: kept, drawn for who works on them, and published."""

from msgspec import Struct

from render_service.drafts.drafting import Drafting
from render_service.drafts.publishing import Publishing
from render_service.drafts.studio import DraftStudio


class Workshop(Struct, frozen=True, kw_only=True):
    """The parts of it, closed together."""

    drafting: Drafting
    studio: DraftStudio
    publishing: Publishing

    async def close(self) -> None:
        """Finish what is under way, and let go of the store of releases."""
        await self.studio.close()
        await self.drafting.close()

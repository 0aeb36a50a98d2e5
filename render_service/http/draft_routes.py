"""The routes of drafts, of what was published, and of who did it, in one list."""

from typing import Final

from render_service.http.draft_comparison import Comparison
from render_service.http.draft_parts import DraftParts
from render_service.http.drafts import Drafts
from render_service.http.releases import Activity, Publication, Releases

DRAFT_ROUTES: Final = (Drafts, DraftParts, Comparison, Publication, Releases, Activity)

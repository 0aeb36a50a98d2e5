"""The manifest of a draft: that of a live composition, but every address is of its preview."""

from render_service.composition.model import Composition, View
from render_service.http.manifests import Manifests
from render_service.planning.planner import Planner
from render_service.planning.url import build_view
from render_service.rendering.placeholders import Placeholders


class DraftManifests(Manifests):
    """What the JSON API says of the composition of a draft.

    Args:
        planner: Plans its pictures.
        preview_url: Before `/{view}/{configuration}/{width}.{format}`.
    """

    def __init__(self, *, planner: Planner, preview_url: str) -> None:
        # Placeholders are made of what is live, behind the answers: a draft has none.
        super().__init__(planner=planner, placeholders=Placeholders())
        self._preview_url = preview_url

    def template(self, composition: Composition, view: View, region: str | None) -> str:
        """Return the template of the preview's addresses."""
        shown = build_view(view.id, region)
        return f"{self._preview_url}/{shown}/{{configuration}}/{{width}}.{{format}}"

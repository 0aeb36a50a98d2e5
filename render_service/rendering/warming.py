"""The pictures of a set of photographs, made before anybody asks for them.

The rule: each is made by the route that a request would take, so what is stored is what would be
served, and one that is there already costs a look.
"""

from collections.abc import AsyncIterator, Mapping

from render_service.formats import Format
from render_service.planning.media import PhotoSet, plan_photo
from render_service.planning.plan import EncodeProfile
from render_service.rendering.service import RenderService


class Warming:
    """Warms sets.

    Args:
        service: Makes pictures, and shares them by its tiers.
        profiles: How each format is encoded.
    """

    def __init__(self, service: RenderService, profiles: Mapping[Format, EncodeProfile]) -> None:
        self._service, self._profiles = service, profiles

    async def warm(self, photos: PhotoSet) -> AsyncIterator[str]:
        """Make every picture of a set, the small ones first; yield what each is.

        Raises:
            AssetFailure: The master cannot be read.
        """
        for width_px in photos.widths:
            for file_format in photos.formats:
                profile = self._profiles[file_format]
                await self._service.render(plan_photo(photos, width_px, file_format, profile))
                yield f"{width_px}.{file_format}"
        await self._service.tiers.settle()

"""The planner that routes hold: what is live now, and whatever was published before.

The live catalogue is one planner that is replaced whole, so an answer that took `current` once is
consistent, whatever is published meanwhile. An immutable path is planned by the release that its
version belongs to.
"""

import asyncio
from collections.abc import Mapping

from render_service.composition.catalogue import Catalogue
from render_service.composition.model import Composition, View
from render_service.errors import (
    InvalidRequest,
    InvalidSelection,
    UnknownVersion,
)
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import RenderPlan
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest
from render_service.planning.url import AliasPath, ImagePath, build_view
from render_service.releases.archive import Archive


class LivePlanner:
    """The planner of a process; plans like the `Planner` that is current.

    Attributes:
        unavailable: Names of what readiness should call away: `releases`, where the live state
            could not be read, or is another than this program can hand out.
    """

    def __init__(self, current: Planner | None = None, archive: Archive | None = None) -> None:
        """Begin with `current`, or with none until `swap`.

        Old versions are looked for in `archive`; a folder that is served has none.
        """
        self.unavailable: frozenset[str] = frozenset()
        self._current, self._archive = current, archive
        self._swapped = asyncio.Event()

    @property
    def current(self) -> Planner:
        """The planner of what is live now."""
        if self._current is None:
            raise RuntimeError("the live state was not read yet; the application reads it first")
        return self._current

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that is live now."""
        return self.current.catalogue

    def swap(self, planner: Planner) -> None:
        """Make `planner` the current one, at once and for every request that begins now."""
        self._current = planner
        self._swapped.set()
        self._swapped = asyncio.Event()

    async def wait_for_another(self, seen: Planner) -> Planner:
        """Return the current planner as soon as it is not `seen`."""
        while self.current is seen:
            await self._swapped.wait()
        return self.current

    async def find_image(self, image: ImagePath) -> PlannedImage:
        """Return the picture of an immutable path, planned by the release that published it.

        Its plan's pipeline may be another than this program draws: then it can only be looked up.

        Raises:
            NotFound: Its composition, view, region or version was never published.
            InvalidRequest: Its width is not offered.
            InvalidSelection: It could not be configured that way.
            ReleaseUnreadable: It was published, and this program cannot read as what.
            ReleasesUnavailable: The store could not be asked who published it.
        """
        planner = await self.planner_of(image.composition, image.view, image.version)
        return planner.plan_image(image)

    async def planner_of(self, composition: str, view: str, version: str) -> Planner:
        """Return who plans `version` of a view; the current one for what was never published.

        Raises:
            ReleaseUnreadable: It was published, and this program cannot read as what.
            ReleasesUnavailable: The store could not be asked who published it.
        """
        current = self.current
        if self._archive is None or current.holds(composition, view, version):
            return current
        return await self._archive.find(composition, view, version) or current

    def plan_instead(self, image: ImagePath) -> PlannedImage:
        """Return the same picture in the version that is current.

        Raises:
            NotFound: There is no such picture any more.
        """
        current = self.current
        view = current.catalogue.composition(image.composition).view(image.view, image.region)
        try:
            return current.plan(
                RenderRequest(
                    composition=image.composition,
                    view=image.view,
                    region=image.region,
                    selection=image.selection,
                    width_px=image.width_px,
                    format=image.format,
                )
            )
        except (InvalidRequest, InvalidSelection) as error:
            name = f"{image.composition}/{build_view(image.view, image.region)}"
            version = current.version(current.catalogue.composition(image.composition), view)
            raise UnknownVersion(name, image.version, version) from error

    def plan_image(self, image: ImagePath) -> PlannedImage:
        """Return the picture of an immutable path of the live state; as `Planner.plan_image`."""
        return self.current.plan_image(image)

    def plan_alias(
        self, alias: AliasPath, selection: Mapping[str, str], accept: str | None
    ) -> PlannedImage:
        """Return the picture that an alias stands for now; as `Planner.plan_alias`."""
        return self.current.plan_alias(alias, selection, accept)

    def plan(self, request: RenderRequest) -> PlannedImage:
        """Return the picture that is asked for, as it is now; as `Planner.plan`."""
        return self.current.plan(request)

    def version(self, composition: Composition, view: View) -> str:
        """Return the version of a view that is live now; as `Planner.version`."""
        return self.current.version(composition, view)


def is_drawn_here(plan: RenderPlan) -> bool:
    """Return whether this program draws `plan`, as then: pipelines are the same."""
    return plan.pipeline == PIPELINE_REVISION

"""What is likely to be asked for next: listed for clients that preload, and drawn ahead.

The rule: who asks for something is answered first, and pays for none of it. A list is built without
planning a picture, and what is drawn ahead is planned and drawn behind the answers, as far as
nobody else needs the processor.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from render_service.composition.model import Composition, View
from render_service.errors import UnknownOption, WidthNotOffered
from render_service.formats import Format
from render_service.http.manifests import SRC_WIDTH_PX, widest_within
from render_service.http.schemas import NeighbourOut, ResolveIn, ShownIn
from render_service.planning.neighbours import (
    Neighbour,
    format_beside,
    neighbouring_pictures,
    neighbours,
    what_is_drawn,
)
from render_service.planning.planner import PlannedImage, Planner, has_alpha
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import ImagePath, build_image_path
from render_service.releases.live import LivePlanner
from render_service.rendering.popularity import Popularity
from render_service.rendering.service import RenderService

_NOT_ASKED = ResolveIn()


class NextClicks:
    """The neighbours of configurations, as clients preload them.

    Args:
        planner: Names versions and pictures.
        popularity: What shoppers changed to.
        public_url: Before every URL handed out.
    """

    def __init__(self, *, planner: Planner, popularity: Popularity, public_url: str) -> None:
        self._planner, self._popularity, self._public_url = planner, popularity, public_url

    def list_all(
        self,
        composition: Composition,
        configuration: Mapping[str, str],
        asked: ResolveIn = _NOT_ASKED,
    ) -> list[NeighbourOut]:
        """Return the neighbours of `configuration`, the likeliest first, with their new pictures.

        Args:
            composition: Whose configuration it is.
            configuration: All of it; it is made.
            asked: How many are wanted, and what is known of who wants them.
        """
        # What no view shows has no picture, however many values it has: engraving, ring sizes.
        shown = {option for view in composition.views.values() for option in view.options}
        seen = {
            view.id: {what_is_drawn(composition, view, configuration)}
            for view in composition.views.values()
        }

        def listed() -> Iterator[NeighbourOut]:
            counts = self._popularity.of(composition.id)
            for found in neighbours(
                composition, configuration, counts=counts, changed=asked.changed, among=shown
            ):
                images = {}
                for view in composition.views.values():
                    drawn = what_is_drawn(composition, view, found.configuration)
                    if drawn not in seen[view.id]:
                        seen[view.id].add(drawn)
                        images[view.id] = self._src(
                            composition, view, configuration, found, asked.shown
                        )
                if images:
                    yield _neighbour(configuration, found, images)

        return list(islice(listed(), asked.neighbours))

    def _src(
        self,
        composition: Composition,
        view: View,
        here: Mapping[str, str],
        found: Neighbour,
        shown: ShownIn | None,
    ) -> str:
        selection = {option: found.configuration[option] for option in view.options}
        if shown is not None and shown.view == view.id:
            width_px, format_ = shown.width, format_beside(shown.format, here, selection)
        else:
            width_px = widest_within(view, None, SRC_WIDTH_PX)
            format_ = Format.PNG if has_alpha(selection) else Format.JPEG
        image = ImagePath(
            composition=composition.id,
            view=view.id,
            region=None,
            version=self._planner.version(composition, view),
            selection=tuple(selection.items()),
            width_px=width_px,
            format=format_,
        )
        return self._public_url + build_image_path(image)


class Foresight:
    """Has the pictures drawn ahead that are likely to be asked for next.

    Args:
        planner: Plans them.
        service: Draws them when that delays no request.
        popularity: What shoppers changed to; None: nobody counts.
        most: The most that are drawn for one configuration of a view; 0: none.

    Attributes:
        popularity: What shoppers changed to.
    """

    def __init__(
        self,
        *,
        planner: LivePlanner,
        service: RenderService,
        popularity: Popularity | None = None,
        most: int = 0,
    ) -> None:
        self.popularity = popularity or Popularity()
        self._planner, self._service, self._most = planner, service, most

    def note_gauges(self) -> None:
        """Note what is held and under way, to be seen. Takes some microseconds."""
        self._service.note_gauges()
        self.popularity.note_breaker()

    def after_picture(self, planned: PlannedImage) -> None:
        """Note that `planned` was asked for, and draw its neighbours. Takes some microseconds."""
        self._service.note_asked(planned.key)
        self._draw_beside(planned, None)

    def after_resolve(
        self, composition: Composition, configuration: Mapping[str, str], asked: ResolveIn
    ) -> None:
        """Count the change, and draw the neighbours of what is about to be asked for.

        Not that itself: its request would wait for a render at the lowest priority. And only for
        who says what is shown: the picture that others ask for next says it of them.
        """
        if asked.changed is not None:
            self.popularity.note(composition.id, asked.changed, configuration[asked.changed])
        if asked.shown is None or self._most == 0:
            return
        shown = asked.shown
        options = composition.view(shown.view).options
        selection = {option: configuration[option] for option in options}
        planned = self._planner.plan(
            RenderRequest(
                composition=composition.id,
                view=shown.view,
                region=None,
                selection=tuple(selection.items()),
                width_px=shown.width,
                format=format_beside(shown.format, {}, selection),
            )
        )
        self._draw_beside(planned, asked.changed)

    def _draw_beside(self, planned: PlannedImage, changed: str | None) -> None:
        image, current = planned.image, self._planner.current
        # Whoever looks at an old version leaves it with the next click.
        if self._most == 0 or not current.holds(image.composition, image.view, image.version):
            return
        counts = self.popularity.of(image.composition)
        beside = neighbouring_pictures(current, image, counts, changed)
        self._service.foresee(planned.key, islice(beside, self._most))


def check_hints(composition: Composition, asked: ResolveIn) -> None:
    """Refuse what no client can have changed or can show.

    Raises:
        UnknownOption: There is no such option.
        UnknownView: There is no such view.
        WidthNotOffered: The view is not offered at that width.
    """
    if asked.changed is not None and asked.changed not in composition.options:
        raise UnknownOption(composition.id, asked.changed, tuple(composition.options))
    if asked.shown is not None:
        widths = offered_widths(composition.view(asked.shown.view).width_px)
        if asked.shown.width not in widths:
            raise WidthNotOffered(str(asked.shown.width), widths)


def _neighbour(here: Mapping[str, str], found: Neighbour, images: dict[str, str]) -> NeighbourOut:
    changes = {
        option: value for option, value in found.configuration.items() if value != here[option]
    }
    return NeighbourOut(option=found.option, value=found.value, changes=changes, images=images)

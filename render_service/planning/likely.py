"""Which pictures are made before they are asked for, in which order: several views as one line.

The rule: lazy. Each view yields its configurations by rising cost, and the cheapest of all views
comes next; so what is popular of every product comes before what is rare of any, and a catalogue of
millions takes no more memory than its number of views.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from render_service.composition.model import Composition, View
from render_service.errors import AlphaNotOffered, UnknownView, WidthNotOffered
from render_service.formats import Format
from render_service.planning.lattice import lattice
from render_service.planning.neighbours import NO_COUNTS, Counts
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import build_view

USUAL_WIDTH_PX: Final = 800
"""Width where none is asked for: the `src` that `resolve` hands out."""


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be made.

    Attributes:
        compositions: Their ids; empty: all.
        views: `view` or `view:region`; None: all views.
        widths_px: From the ladder; None: the widest up to 800 pixels.
        formats: In each of them.
        budget_s: Nothing is begun after it; None: no such bound.
        budget_bytes: Of pictures, made or there already; None: no such bound.
        as_json: The table is for programs.
    """

    compositions: tuple[str, ...] = ()
    views: tuple[str, ...] | None = None
    widths_px: tuple[int, ...] | None = None
    formats: tuple[Format, ...] = (Format.AVIF, Format.WEBP)
    budget_s: float | None = None
    budget_bytes: int | None = None
    as_json: bool = False


class Frame(Struct, frozen=True, kw_only=True):
    """A view, or a region of one, at the widths that are wanted of it."""

    composition: Composition
    view: View
    region: str | None
    widths_px: tuple[int, ...]


class Sizes(Struct, frozen=True, kw_only=True):
    """How many pictures there can be, rules not considered.

    Attributes:
        lattice: One for every combination of all options.
        shown: One for every combination of the options that a view shows.
    """

    lattice: int
    shown: int


def find_frames(planner: Planner, asked: Asked) -> list[Frame]:
    """Return the views that are asked for, with their widths.

    Raises:
        UnknownComposition: There is none of that id.
        UnknownView: None of the compositions has that view.
        WidthNotOffered: None of the views is offered at it.
    """
    catalogue = planner.catalogue
    ids = asked.compositions or tuple(catalogue.compositions)
    compositions = [catalogue.composition(id_) for id_ in dict.fromkeys(ids)]
    for name in asked.views or ():
        _check_view(compositions, name)
    frames = [
        Frame(composition=composition, view=view, region=region, widths_px=widths_px)
        for composition in compositions
        for view, region in _views(composition, asked.views)
        if (widths_px := _widths(view.frame(region)[2], asked.widths_px))
    ]
    for width_px in asked.widths_px or ():
        if not any(width_px in frame.widths_px for frame in frames):
            raise WidthNotOffered(str(width_px), _offered(compositions, asked.views))
    return frames


def count_pictures(frames: Sequence[Frame], formats: Sequence[Format]) -> Sizes:
    """Return how many pictures `frames` can have in `formats`."""

    def count(frame: Frame, options: Sequence[str]) -> int:
        sizes = len(frame.widths_px) * len(formats)
        return frame.composition.lattice_size(options) * sizes

    return Sizes(
        lattice=sum(count(frame, tuple(frame.composition.options)) for frame in frames),
        shown=sum(count(frame, frame.view.options) for frame in frames),
    )


def likely_pictures(
    planner: Planner,
    frames: Sequence[Frame],
    formats: Sequence[Format],
    counts: Mapping[str, Counts],
) -> Iterator[PlannedImage]:
    """Yield the pictures of `frames`, the likeliest configurations first, planned one by one."""
    streams = [_stream(frame, counts.get(frame.composition.id, NO_COUNTS)) for frame in frames]
    for _, frame, configuration in heapq.merge(*streams, key=_cost):
        for width_px in frame.widths_px:
            for file_format in formats:
                request = RenderRequest(
                    composition=frame.composition.id,
                    view=frame.view.id,
                    region=frame.region,
                    selection=tuple(configuration.items()),
                    width_px=width_px,
                    format=file_format,
                )
                try:
                    yield planner.plan(request)
                except AlphaNotOffered:
                    # Nobody is offered a transparent JPEG.
                    continue


_Likely = tuple[int, Frame, dict[str, str]]


def _stream(frame: Frame, counts: Counts) -> Iterator[_Likely]:
    for cost, configuration in lattice(frame.composition, frame.view, counts):
        yield cost, frame, configuration


def _cost(likely: _Likely) -> int:
    return likely[0]


def _views(
    composition: Composition, names: Sequence[str] | None
) -> Iterator[tuple[View, str | None]]:
    for view in composition.views.values():
        for region in (None, *view.regions):
            if build_view(view.id, region) in names if names is not None else region is None:
                yield view, region


def _check_view(compositions: Sequence[Composition], name: str) -> None:
    """Refuse a view that none has."""
    view, _, region = name.partition(":")
    for composition in compositions:
        try:
            composition.view(view, region or None)
        except UnknownView as error:
            unknown = error
        else:
            return
    raise unknown


def _offered(compositions: Sequence[Composition], names: Sequence[str] | None) -> tuple[int, ...]:
    """The widths of all views that are asked for."""
    canvases = [
        view.frame(region)[2]
        for composition in compositions
        for view, region in _views(composition, names)
    ]
    return offered_widths(max(canvases))


def _widths(canvas_width_px: int, wanted: Sequence[int] | None) -> tuple[int, ...]:
    offered = offered_widths(canvas_width_px)
    if wanted is not None:
        return tuple(width for width in wanted if width in offered)
    return (max((width for width in offered if width <= USUAL_WIDTH_PX), default=offered[0]),)

"""What the JSON routes take and give: the shapes that OpenAPI shows.

Shapes only: how they are filled is `compositions.py`. Unknown fields are refused on the way in.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from render_service.formats import Format
from render_service.planning.plan import RenderPlan
from render_service.rendering.served import Timings

WIDTH_PX_MAX: Final = 65_535
"""The largest number a path can spell; the ladder decides which widths are on offer."""

NEIGHBOURS: Final = 6
"""Neighbours listed where nobody says how many: 50 kB each are a second of a phone's 3 Mbit/s."""

NEIGHBOURS_MAX: Final = 32
"""The most that are listed: 20 kB of addresses; the demo's ring has 15."""


class ValueOut(Struct, frozen=True, kw_only=True):
    """One value of an option.

    Attributes:
        id: As in URLs.
        title: For people.
        swatch: `#rrggbb` for a button, for a value that is a material.
    """

    id: str
    title: str
    swatch: str | None


class OptionOut(Struct, frozen=True, kw_only=True):
    """Something a shopper can choose; `default` is the id of one of `values`."""

    id: str
    title: str
    default: str
    values: list[ValueOut]


class RuleOut(Struct, frozen=True, kw_only=True):
    """A combination that is not made: each option of `all` having one of its values."""

    all: dict[str, list[str]]
    reason: str


class RegionOut(Struct, frozen=True, kw_only=True):
    """A part of a view that has pictures of its own, at `widths` pixels.

    Attributes:
        left: Column on the view's canvas, in pixels; the others likewise.
        url_template: As that of the view.
    """

    left: int
    top: int
    width: int
    height: int
    widths: list[int]
    url_template: str


class ViewOut(Struct, frozen=True, kw_only=True):
    """One picture of the product.

    Attributes:
        id: As in URLs.
        title: For people.
        version: Ten hex digits: what the view can show now.
        width: Of the canvas, in pixels.
        height: Likewise.
        options: The options it depends on, in the order of `{configuration}` in its URLs.
        widths: Widths on offer, in pixels; heights keep the canvas's proportions.
        url_template: Immutable URL with `{configuration}` (`option=value,…`; `-` for none),
            `{width}` and `{format}` to fill in.
        placeholder: ThumbHash of the default picture, base64; null while it is not made.
        regions: By name.
    """

    id: str
    title: str
    version: str
    width: int
    height: int
    options: list[str]
    widths: list[int]
    url_template: str
    placeholder: str | None
    regions: dict[str, RegionOut]


class NeighbourOut(Struct, frozen=True, kw_only=True):
    """A configuration that is made, one change away.

    Attributes:
        option: What is changed.
        value: What it is changed to.
        changes: Everything that is other then: more than the option where that alone is not made.
        images: View id → `src` of its picture then; without views that look as they do now, or as
            they do in a neighbour listed before.
    """

    option: str
    value: str
    changes: dict[str, str]
    images: dict[str, str]


class CompositionOut(Struct, frozen=True, kw_only=True):
    """The manifest of a composition; `neighbours` are those of its default configuration."""

    id: str
    title: str
    options: list[OptionOut]
    rules: list[RuleOut]
    views: list[ViewOut]
    formats: list[Format]
    neighbours: list[NeighbourOut]


class CompositionListed(Struct, frozen=True, kw_only=True):
    """A composition in the list; `href` is its manifest."""

    id: str
    title: str
    href: str


class CompositionList(Struct, frozen=True, kw_only=True):
    """All compositions, by id."""

    compositions: list[CompositionListed]


class ShownIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client shows now, and so is likely to show next: a view, its width and format."""

    view: str
    width: Annotated[int, Meta(ge=1, le=WIDTH_PX_MAX)]
    format: Format


class ResolveIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to resolve.

    Attributes:
        selection: Option → value; options left out have their defaults.
        changed: The option that the shopper changed to get here. It is counted, with its value and
            nothing of the shopper, and ranks what others are offered next.
        neighbours: How many neighbours to list, at most.
        shown: What the client shows: the neighbours' `src` have its width and format, and they are
            drawn ahead while the service is idle.
    """

    selection: dict[str, str] = {}
    changed: str | None = None
    neighbours: Annotated[int, Meta(ge=0, le=NEIGHBOURS_MAX)] = NEIGHBOURS
    shown: ShownIn | None = None


class ConflictOut(Struct, frozen=True, kw_only=True):
    """A rule that is broken: the values that may not meet, and why."""

    all: dict[str, str]
    reason: str


class SourceOut(Struct, frozen=True, kw_only=True):
    """A `<source>` of a `<picture>`."""

    type: str
    srcset: str


class PictureOut(Struct, frozen=True, kw_only=True):
    """A view of the configuration, ready for `<picture>` and `<img>`.

    Attributes:
        src: For clients that choose nothing: the view at 800 pixels or its widest below.
        srcset: Every width of `src`'s format.
        width: Of the canvas, in pixels: the proportions to keep room for.
        height: Likewise.
        alpha: Whether it is transparent where nothing lies.
        sources: Other formats, the preferred one first.
        iiif: Base URI of the view in the IIIF Image API, without `/info.json`: for deep zoom.
    """

    src: str
    srcset: str
    width: int
    height: int
    alpha: bool
    sources: list[SourceOut]
    iiif: str


class ResolveOut(Struct, frozen=True, kw_only=True):
    """What a selection comes to.

    Attributes:
        configuration: Every option's value.
        valid: Whether it is made.
        conflicts: The rules it breaks.
        nearest: The configuration that is made and changes the fewest options; null where valid.
        images: View id → its picture; empty unless valid.
        neighbours: What it is likely to be changed to, the likeliest first; empty unless valid.
    """

    configuration: dict[str, str]
    valid: bool
    conflicts: list[ConflictOut]
    nearest: dict[str, str] | None
    images: dict[str, PictureOut]
    neighbours: list[NeighbourOut]


class ExplainOut(Struct, frozen=True, kw_only=True):
    """How a picture is made: enough to draw it again.

    Attributes:
        url: The immutable URL.
        key: Name of the rendition in every store.
        plan: All that the pixels depend on.
        files: Digest → name of each layer file drawn.
        held_by: Where the rendition is kept now, nearest first.
        timings: Of its last render in this process; null if none is known.
    """

    url: str
    key: str
    plan: RenderPlan
    files: dict[str, str]
    held_by: list[str]
    timings: Timings | None


class Health(Struct, frozen=True, kw_only=True):
    """How the process is.

    Attributes:
        status: `degraded` serves everything, but something behind it cannot be asked.
        unavailable: Names of such tiers; `releases` where it is what is published, `database` where
            it is what products are kept in.
    """

    status: Literal["alive", "started", "ready", "degraded", "stopping"]
    unavailable: list[str] = []


class ProblemOut(Struct, frozen=True, kw_only=True):
    """An error, RFC 9457; more members follow by type, such as `offered`.

    Attributes:
        type: What kind of problem it is; the same for every occurrence.
        title: Its name.
        status: The HTTP status.
        detail: What happened this time, and what would have been right.
        instance: The path that was asked for.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str

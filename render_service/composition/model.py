"""What a product looks like: compositions, options, rules, views and layers, every name checked.

These are the types the rest of the service works with. They are made only by `parse.py` from the
file shapes of `definition.py`, so whoever holds one may trust every name in it.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from render_service.composition.materials import Basis, Material
from render_service.errors import UnknownView
from render_service.formats import Format

TRANSPARENT = ("background", "transparent")
"""The option and value that ask for alpha: backgrounds are options, not extra grammar."""


class Blend(StrEnum):
    """How a layer meets the layers below it, in premultiplied linear light."""

    OVER = "over"
    ADD = "add"
    MULTIPLY = "multiply"


class Encoding(StrEnum):
    """How a layer file's numbers stand for light.

    SRGB: an ordinary picture: sRGB transfer, straight alpha, 8 or 16 bits.
    LINEAR: 16 bits, 16384 is 1.0, premultiplied.
    ROOT: value = 4·(x / full scale)², premultiplied: the range 0..4 with its steps spent where
        the eye sees them.
    """

    SRGB = "srgb"
    LINEAR = "linear"
    ROOT = "root"


class SizeClass(StrEnum):
    """How large a picture is shown; `composition/qualities.py` has the widths."""

    THUMBNAIL = "thumbnail"
    MIDDLE = "middle"
    ZOOM = "zoom"


class Value(Struct, frozen=True, kw_only=True):
    """One value of an option.

    Attributes:
        id: As in URLs.
        title: For people.
        material: What it paints with, for an option of materials; None otherwise.
    """

    id: str
    title: str
    material: Material | None = None


class Option(Struct, frozen=True, kw_only=True):
    """Something a shopper can choose.

    Attributes:
        id: As in URLs.
        title: For people.
        basis: What its materials paint by; None for an option of plain values.
        values: In the order of the definition; never empty.
        default: The id of one of `values`.
    """

    id: str
    title: str
    basis: Basis | None
    values: tuple[Value, ...]
    default: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the values, in order."""
        return tuple(value.id for value in self.values)


Condition = Mapping[str, tuple[str, ...]]
"""Option id → the values that satisfy it; all options must be satisfied."""


class Rule(Struct, frozen=True, kw_only=True):
    """A combination that is not made: it applies when `all` is satisfied."""

    all: Condition
    reason: str


class Layer(Struct, frozen=True, kw_only=True):
    """One layer of a view.

    Attributes:
        asset: File name relative to the composition, `{option}` standing for a value.
        names: The options that `asset` holds, in its order.
        at: Left, top, width and height of the file on the canvas; None is all of it.
        when: Drawn only where this is satisfied.
        paint: Options whose materials paint the layer, outermost basis first; empty: as it is.
        blend: How it meets the layers below.
        encoding: How the file's numbers stand for light.
    """

    asset: str
    names: tuple[str, ...]
    at: tuple[int, int, int, int] | None
    when: Condition
    paint: tuple[str, ...]
    blend: Blend
    encoding: Encoding

    @property
    def options(self) -> frozenset[str]:
        """Every option this layer depends on."""
        return frozenset((*self.names, *self.when, *self.paint))

    def asset_for(self, configuration: Mapping[str, str]) -> str:
        """Return the file name for `configuration`."""
        name = self.asset
        for option in self.names:
            name = name.replace("{" + option + "}", configuration[option])
        return name


class View(Struct, frozen=True, kw_only=True):
    """One picture of the product.

    Attributes:
        id: As in URLs.
        title: For people.
        width_px: Width of the canvas.
        height_px: Height, likewise.
        regions: Name → (left, top, width, height) on the canvas, in pixels.
        layers: Bottom first.
        options: The options the view depends on, computed from its layers, in definition order.
    """

    id: str
    title: str
    width_px: int
    height_px: int
    regions: Mapping[str, tuple[int, int, int, int]]
    layers: tuple[Layer, ...]
    options: tuple[str, ...]

    def frame(self, region: str | None) -> tuple[int, int, int, int]:
        """Return left, top, width and height of `region`, or of the whole canvas for None."""
        return self.regions[region] if region else (0, 0, self.width_px, self.height_px)


class ToneCurve(Struct, frozen=True, kw_only=True):
    """A view transform, in linear light; `planning.plan.Tone` states the formula."""

    exposure: float
    knee: float
    white: float


class Correction(Struct, frozen=True, kw_only=True):
    """What is added to a quality where `when` is satisfied, in tenths."""

    when: Condition
    tenths: int


class QualityTable(Struct, frozen=True, kw_only=True):
    """The qualities of the pictures of a view, or of a region, in one format and size class.

    A quality is that of the width, and what each value of the configuration adds to it; all in
    tenths of the format's own scale, so that their sum is exact, and is rounded once.

    Attributes:
        view: View id.
        region: Region of it, or None for all of it.
        format: Of the file.
        size: The class of its widths.
        widths: Width in pixels → quality; every width on offer in the class.
        offsets: Option → value → what is added; 0 where a value is not named.
        corrections: What is added besides, where values meet.
        least: The least that the sum is taken for, whatever its score.
    """

    view: str
    region: str | None
    format: Format
    size: SizeClass
    widths: Mapping[int, int]
    offsets: Mapping[str, Mapping[str, int]]
    corrections: tuple[Correction, ...]
    least: int


class Composition(Struct, frozen=True, kw_only=True):
    """A configurable product's pictures.

    Attributes:
        id: As in URLs; the name of its folder.
        title: For people.
        tone: The view transform of all its views.
        options: By id, in the order of the definition, which is the order in URLs.
        rules: What is not made.
        views: By id, in the order of the definition.
        qualities: Calibrated qualities; what has none is encoded by the fixed profiles.
    """

    id: str
    title: str
    tone: ToneCurve
    options: Mapping[str, Option]
    rules: tuple[Rule, ...]
    views: Mapping[str, View]
    qualities: tuple[QualityTable, ...] = ()

    def view(self, view: str, region: str | None = None) -> View:
        """Return the view `view`, known to have `region` where one is named.

        Raises:
            UnknownView: There is no such view, or no such region of it.
        """
        found = self.views.get(view)
        if found is None or (region is not None and region not in found.regions):
            given = view if region is None else f"{view}:{region}"
            offered = [
                name
                for v in self.views.values()
                for name in (v.id, *(f"{v.id}:{r}" for r in v.regions))
            ]
            raise UnknownView(self.id, given, offered)
        return found

    @property
    def defaults(self) -> dict[str, str]:
        """The default configuration."""
        return {option.id: option.default for option in self.options.values()}

    def lattice_size(self, options: Sequence[str]) -> int:
        """Return how many combinations of values `options` have, rules not considered."""
        return math.prod(len(self.options[option].values) for option in options)


def satisfied(condition: Condition, configuration: Mapping[str, str]) -> bool:
    """Return whether every option of `condition` has one of its values in `configuration`."""
    return all(configuration[option] in values for option, values in condition.items())

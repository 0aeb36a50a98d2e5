"""The shape of the files in a catalogue: `materials.toml` and `<id>/composition.toml`.

What a retoucher may write, and nothing else: unknown keys are refused. The editor schemas in
`docs/schemas/` are generated from these types. Meaning is checked in `parse.py`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from render_service.composition.materials import Law
from render_service.composition.model import Blend, Encoding, SizeClass
from render_service.formats import Format

# Patterns stand in the schemas only and are checked in parse.py: a Meta(pattern=…) makes msgspec
# 0.22 crash now and then when the interpreter ends (its issue 717).
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_PART = r"[A-Za-z0-9_{}][A-Za-z0-9_{}.\-]*"
ASSET_PATTERN = rf"^{_PART}(/{_PART})*$"
COLOUR_PATTERN = r"^#[0-9a-fA-F]{6}$"

Id = Annotated[
    str,
    Meta(
        extra_json_schema={"pattern": ID_PATTERN},
        max_length=64,
        description="Lower-case letters, digits and single hyphens: it stands in URLs unescaped.",
    ),
]
# The largest side is WebP's (RFC 9649), the narrowest of the formats on offer.
Pixels = Annotated[int, Meta(ge=1, le=16383)]
Colour = Annotated[str, Meta(max_length=7, extra_json_schema={"pattern": COLOUR_PATTERN})]
Words = Annotated[str, Meta(min_length=1, max_length=500)]
Box = tuple[int, int, int, int]
Choice = Id | Annotated[tuple[Id, ...], Meta(min_length=1)]


class OptionDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[options.<id>]`: something a shopper can choose.

    Attributes:
        title: For people; the id where left out.
        material: The basis whose materials are the values.
        values: Ids in the order they are shown. With `material`, a family may stand for its
            members, and leaving `values` out offers every material of the basis.
        titles: Value id → title for people, where the material has none or the id would not do.
        default: The value where a URL names none.
    """

    title: Words | None = None
    material: Id | None = None
    values: Annotated[tuple[Id, ...], Meta(min_length=1)] | None = None
    titles: dict[Id, Words] = {}
    default: Id


class RuleDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[forbid]]`: a combination that is not made, and why, as the shopper will read it."""

    all: Annotated[dict[Id, Choice], Meta(min_length=1)]
    reason: Words


class LayerDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[views.<id>.layers]]`: one layer, listed bottom first.

    Attributes:
        asset: File relative to the composition's folder; `{option}` stands for that option's value.
        at: [left, top, width, height] of the file on the canvas; the whole canvas where left out.
            A small stone in a file of its own size is read ten times as fast.
        when: Option → value or values (or families); the layer is drawn where all of them hold.
        paint: The option, or options from the outermost basis in, whose materials paint it.
        blend: `add` for layers rendered with hold-outs, `over` for independent ones, `multiply`
            for shadows.
        encoding: `srgb` an ordinary picture; `linear` and `root` rendered light, premultiplied.
    """

    asset: Annotated[str, Meta(max_length=200, extra_json_schema={"pattern": ASSET_PATTERN})]
    at: Box | None = None
    when: dict[Id, Choice] = {}
    paint: Choice | None = None
    blend: Blend = Blend.OVER
    encoding: Encoding = Encoding.SRGB


class ViewDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[views.<id>]`: one picture of the product.

    Attributes:
        title: For people; the id where left out.
        width_px: Canvas width, which every layer file has that is not placed by `at`.
        height_px: Canvas height, likewise.
        regions: Name → [left, top, width, height] in canvas pixels.
        layers: Bottom first.
    """

    title: Words | None = None
    width_px: Pixels
    height_px: Pixels
    regions: dict[Id, Box] = {}
    layers: tuple[LayerDefinition, ...]


class CompositionDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`composition.toml`: a configurable product's pictures."""

    schema: Literal[1]
    title: Words
    tone: Id
    options: dict[Id, OptionDefinition] = {}
    forbid: tuple[RuleDefinition, ...] = ()
    views: dict[Id, ViewDefinition]


class BasisDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[bases.<id>]`: a law, and the nodes at which layers are rendered, rising."""

    law: Law
    nodes: Annotated[tuple[float, ...], Meta(max_length=6)] = ()


class MaterialDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[materials.<basis>.<id>]`: a metal, a gem or a ramp.

    Attributes:
        title: For people.
        family: Materials that share renders, e.g. gems of one refractive index.
        value: Linear sRGB [R, G, B] under the basis's law; not for a gradient.
        stops: Gradient only: [luminance 0..1, "#rrggbb"] pairs, rising.
        source: Where the numbers come from.
    """

    title: Words
    family: Id | None = None
    value: tuple[float, float, float] | None = None
    stops: tuple[tuple[float, Colour], ...] | None = None
    source: Words


class ToneDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tones.<id>]`: a view transform: exposure, a shoulder from `knee` up, 255 at `white`.

    A tone with a shoulder darkens a photograph: with knee 0.6 and white 3 its 255 comes out as 233.
    A product of photographs takes one with exposure 1, knee 0 and white 1: what goes in comes out.
    """

    exposure: Annotated[float, Meta(gt=0, le=4)]
    knee: Annotated[float, Meta(ge=0, lt=1)]
    white: Annotated[float, Meta(ge=1, le=4)]


class MaterialsDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`materials.toml`: what compositions paint with, shared by all of a catalogue."""

    schema: Literal[1]
    bases: dict[Id, BasisDefinition] = {}
    materials: dict[Id, dict[Id, MaterialDefinition]] = {}
    tones: dict[Id, ToneDefinition] = {}


# Tenths count: a quality is the sum of up to a dozen of them, and rounded once.
Quality = Annotated[float, Meta(ge=1, le=100)]
Step = Annotated[float, Meta(ge=-99, le=99)]
Score = Annotated[float, Meta(gt=0, lt=100)]


class MeasuredDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[measured]` of `encoding.toml`: what the qualities were measured on, and how well they do.

    Attributes:
        date: When, as YYYY-MM-DD.
        metric: Name and version of what gave the scores.
        encoders: Names and versions of the libraries that encoded.
        seed: Of the draw of samples.
        samples: Pictures measured, each in every format.
        views: View id → what it showed: its version without any qualities.
        held_out: Pictures measured after the fit, in no part of it.
        within_2: Share of them within 2 points of their target.
        above_at_least: Share of them further above it, at the least quality that is used.
        worst: The largest distance among them, in points.
    """

    date: Annotated[str, Meta(max_length=10)]
    metric: Words
    encoders: Words
    seed: int
    samples: int
    views: dict[Id, str]
    held_out: int = 0
    within_2: float | None = None
    above_at_least: float | None = None
    worst: float | None = None


class CorrectionDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[tables.corrections]]`: what is added where values meet."""

    when: Annotated[dict[Id, Choice], Meta(min_length=1)]
    add: Step


class QualityTableDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[tables]]` of `encoding.toml`: qualities of one view or region, format and size class.

    Attributes:
        view: View id.
        region: Region of the view; all of it where left out.
        format: avif, webp or jpg.
        size: thumbnail (up to 320 px wide), middle (up to 800) or zoom.
        target: The score that the qualities aim at; for people.
        widths: Width → quality; every width that the ladder offers in this class.
        offsets: Option → value → what is added to the quality.
        corrections: What is added besides, where values meet.
        least: The least quality that is used, however well less would score.
    """

    view: Id
    region: Id | None = None
    format: Format
    size: SizeClass
    target: Score
    widths: Annotated[dict[str, Quality], Meta(min_length=1)]
    offsets: dict[Id, dict[Id, Step]] = {}
    corrections: tuple[CorrectionDefinition, ...] = ()
    least: Quality = 1


class EncodingDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`encoding.toml`: calibrated qualities, which `render-service calibrate` measures."""

    schema: Literal[1]
    measured: MeasuredDefinition
    tables: tuple[QualityTableDefinition, ...]

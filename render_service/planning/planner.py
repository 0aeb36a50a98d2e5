"""Catalogue × what is asked for → the plan, its key and its canonical path.

The last place where anything is decided. What leaves here is complete: pixels are drawn from the
plan alone, and two requests that would draw the same pixels leave with the same key.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import resolve_view
from render_service.composition.materials import Law, paint_matrix
from render_service.composition.model import TRANSPARENT, Composition, Layer, View, satisfied
from render_service.errors import AlphaNotOffered, UnknownVersion, WidthNotOffered
from render_service.formats import FACTS, Format
from render_service.planning.key import PIPELINE_REVISION, RenderKey, derive_key
from render_service.planning.negotiation import negotiate
from render_service.planning.plan import ONE, EncodeProfile, Output, Placement, RenderPlan, Tone
from render_service.planning.request import RenderRequest, height_for, offered_widths
from render_service.planning.url import AliasPath, ImagePath, build_view
from render_service.planning.version import derive_version

_PREFERENCE: Final = (Format.AVIF, Format.WEBP, Format.JPEG, Format.PNG)
"""Order of formats at equal q: fewest bytes first."""

_COLOUR_BANDS: Final = 3
"""Bands of a layer that no basis paints: R, G, B."""


class PlannedImage(Struct, frozen=True, kw_only=True):
    """A picture that can be drawn.

    Attributes:
        plan: All that the pixels depend on.
        key: Its name in stores.
        image: Its canonical path, taken apart.
    """

    plan: RenderPlan
    key: RenderKey
    image: ImagePath


class Planner:
    """Plans the pictures of one catalogue; holds nothing else but the versions of its views."""

    def __init__(self, catalogue: Catalogue, profiles: Mapping[Format, EncodeProfile]) -> None:
        """Plan the pictures of `catalogue`, encoded by `profiles`, which has every format."""
        self.catalogue = catalogue
        self._profiles = profiles
        self._versions: dict[tuple[str, str], str] = {}

    def plan_image(self, image: ImagePath) -> PlannedImage:
        """Return the picture of an immutable path.

        The path given is the canonical one if `build_image_path` of the result's `image` is it.

        Raises:
            NotFound: Its composition, view, region or version is not there.
            InvalidRequest: Its width is not offered.
            InvalidSelection: It cannot be configured that way.
        """
        composition = self.catalogue.composition(image.composition)
        view = composition.view(image.view, image.region)
        current = self.version(composition, view)
        if image.version != current:
            name = f"{composition.id}/{build_view(view.id, image.region)}"
            raise UnknownVersion(name, image.version, current)
        return self._plan(
            composition, view, image.region, dict(image.selection), image.width_px, image.format
        )

    def plan_alias(
        self, alias: AliasPath, selection: Mapping[str, str], accept: str | None
    ) -> PlannedImage:
        """Return the picture that a living alias stands for now.

        Args:
            alias: Its path; any width is rounded up to the ladder, or down to the widest.
            selection: Option → value.
            accept: The `Accept` header, used where the alias leaves the format open.

        Raises:
            NotFound: Its composition, view or region is not there.
            InvalidSelection: It cannot be configured that way.
        """
        composition = self.catalogue.composition(alias.composition)
        view = composition.view(alias.view, alias.region)
        widths = offered_widths(view.frame(alias.region)[2])
        width_px = next((width for width in widths if width >= alias.width_px), widths[-1])
        file_format = alias.format
        if file_format is None:
            alpha = has_alpha(resolve_view(composition, view, selection))
            offered = [f for f in _PREFERENCE if FACTS[f].alpha or not alpha]
            file_format = negotiate(accept, offered)
        return self._plan(composition, view, alias.region, selection, width_px, file_format)

    def plan(self, request: RenderRequest) -> PlannedImage:
        """Return the picture that `request` asks for, in the current version of its view.

        Raises:
            NotFound: Its composition, view or region is not there.
            InvalidRequest: Its width is not offered.
            InvalidSelection: It cannot be configured that way.
        """
        composition = self.catalogue.composition(request.composition)
        view = composition.view(request.view, request.region)
        return self._plan(
            composition,
            view,
            request.region,
            dict(request.selection),
            request.width_px,
            request.format,
        )

    def version(self, composition: Composition, view: View) -> str:
        """Return the ten hex digits that name everything `view` can show now."""
        place = (composition.id, view.id)
        if place not in self._versions:
            self._versions[place] = derive_version(
                self.catalogue, composition, view, self._profiles
            )
        return self._versions[place]

    def _plan(
        self,
        composition: Composition,
        view: View,
        region: str | None,
        selection: Mapping[str, str],
        width_px: int,
        file_format: Format,
    ) -> PlannedImage:
        left_px, top_px, canvas_width_px, canvas_height_px = view.frame(region)
        widths = offered_widths(canvas_width_px)
        if width_px not in widths:
            raise WidthNotOffered(str(width_px), widths)
        configuration = resolve_view(composition, view, selection)
        alpha = has_alpha(configuration)
        if alpha and not FACTS[file_format].alpha:
            raise AlphaNotOffered(file_format, [f for f in Format if FACTS[f].alpha])
        plan = RenderPlan(
            pipeline=PIPELINE_REVISION,
            canvas_width_px=canvas_width_px,
            canvas_height_px=canvas_height_px,
            placements=tuple(
                self._place(composition, view, layer, configuration, -left_px, -top_px)
                for layer in view.layers
                if satisfied(layer.when, configuration)
            ),
            tone=tone_of(composition),
            alpha=alpha,
            output=Output(
                format=file_format,
                width_px=width_px,
                height_px=height_for(width_px, canvas_width_px, canvas_height_px),
                profile=self._profiles[file_format],
            ),
        )
        image = ImagePath(
            composition=composition.id,
            view=view.id,
            region=region,
            version=self.version(composition, view),
            selection=tuple(configuration.items()),
            width_px=width_px,
            format=file_format,
        )
        return PlannedImage(plan=plan, key=derive_key(plan), image=image)

    def _place(
        self,
        composition: Composition,
        view: View,
        layer: Layer,
        configuration: Mapping[str, str],
        left_px: int,
        top_px: int,
    ) -> Placement:
        pages, bands = layer_shape(composition, layer)
        paint, ramp = paint_of(composition, layer, configuration)
        return Placement(
            asset=self.catalogue.digest(composition.id, layer.asset_for(configuration)),
            left_px=left_px,
            top_px=top_px,
            width_px=view.width_px,
            height_px=view.height_px,
            pages=pages,
            bands=bands,
            encoding=layer.encoding,
            blend=layer.blend,
            paint=paint,
            ramp=ramp,
        )


def has_alpha(configuration: Mapping[str, str]) -> bool:
    """Return whether the picture keeps its transparency: `background=transparent`."""
    option, value = TRANSPARENT
    return configuration.get(option) == value


def tone_of(composition: Composition) -> Tone:
    """Return the composition's view transform in the plan's integers."""
    tone = composition.tone
    return Tone(exposure=_fixed(tone.exposure), knee=_fixed(tone.knee), white=_fixed(tone.white))


def layer_shape(composition: Composition, layer: Layer) -> tuple[int, int]:
    """Return (pages, colour bands of each page) that the layer's files must have."""
    bases = [basis for option in layer.paint if (basis := composition.options[option].basis)]
    if not bases or bases[0].law is Law.GRADIENT:
        return 1, _COLOUR_BANDS
    *outer, inner = bases
    pages = 1
    for basis in outer:
        pages *= len(basis.nodes)
    return pages, len(inner.nodes)


def paint_of(
    composition: Composition, layer: Layer, configuration: Mapping[str, str]
) -> tuple[
    tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None,
    tuple[tuple[int, int, int, int], ...] | None,
]:
    """Return the layer's paint matrix or its ramp in 1/16384, the other being None."""
    painted = []
    for name in layer.paint:
        option = composition.options[name]
        value = next(value for value in option.values if value.id == configuration[name])
        if option.basis is not None and value.material is not None:
            painted.append((option.basis, value.material))
    if not painted:
        return None, None
    if painted[0][0].law is Law.GRADIENT:
        stops = painted[0][1].stops
        return None, tuple((_fixed(at), _fixed(r), _fixed(g), _fixed(b)) for at, r, g, b in stops)
    red, green, blue = (tuple(map(_fixed, row)) for row in paint_matrix(painted))
    return (red, green, blue), None


def _fixed(value: float) -> int:
    return round(value * ONE)

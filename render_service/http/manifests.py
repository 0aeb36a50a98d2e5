"""Compositions as the JSON API shows them; pure, and every URL handed out is the canonical one.

A URL is always built by the planner's own path builder, never pasted together, so that nobody is
sent through a redirect; the template alone holds braces where a client fills in.
"""

from typing import Final

from msgspec.structs import replace

from render_service.composition.configuration import Resolution
from render_service.composition.model import Composition, Option, Rule, View
from render_service.formats import FACTS, Format
from render_service.http.schemas import (
    CompositionList,
    CompositionListed,
    CompositionOut,
    ConflictOut,
    NeighbourOut,
    OptionOut,
    PictureOut,
    RegionOut,
    ResolveOut,
    RuleOut,
    SourceOut,
    ValueOut,
    ViewOut,
)
from render_service.planning.iiif import IIIF_PREFIX, Identifier, build_identifier
from render_service.planning.planner import PlannedImage, Planner
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import IMAGE_PREFIX, build_image_path, build_view
from render_service.rendering.placeholders import Placeholders

SRC_WIDTH_PX: Final = 800
"""Width of the picture for clients that choose none: half of a 1600 px canvas, a full phone."""


class Manifests:
    """What the JSON API says of the compositions of one catalogue.

    Args:
        planner: Names versions and pictures.
        placeholders: Those that are made so far are shown.
        public_url: Before every URL handed out.
    """

    def __init__(
        self, *, planner: Planner, placeholders: Placeholders, public_url: str = ""
    ) -> None:
        self._planner, self._placeholders = planner, placeholders
        self._public_url = public_url

    def list_all(self) -> CompositionList:
        """Return every composition, with the address of its manifest."""
        return CompositionList(
            compositions=[
                CompositionListed(
                    id=composition.id,
                    title=composition.title,
                    href=f"{self._public_url}/v1/compositions/{composition.id}",
                )
                for composition in self._planner.catalogue.compositions.values()
            ]
        )

    def describe(self, composition: Composition, neighbours: list[NeighbourOut]) -> CompositionOut:
        """Return the manifest of `composition`; `neighbours` are those of its defaults."""
        return CompositionOut(
            id=composition.id,
            title=composition.title,
            options=[_option(option) for option in composition.options.values()],
            rules=[_rule(rule) for rule in composition.rules],
            views=[self._view(composition, view) for view in composition.views.values()],
            formats=list(Format),
            neighbours=neighbours,
        )

    def default_plans(self) -> list[PlannedImage]:
        """Return the default picture of every view of every composition, in its smallest size."""
        return [
            self._default(composition, view)
            for composition in self._planner.catalogue.compositions.values()
            for view in composition.views.values()
        ]

    def resolve(
        self, composition: Composition, resolution: Resolution, neighbours: list[NeighbourOut]
    ) -> ResolveOut:
        """Return what a selection came to, with the pictures of every view if it is made."""
        images = {}
        if resolution.valid:
            selection = tuple(resolution.configuration.items())
            images = {
                view.id: self.picture(composition, view, selection)
                for view in composition.views.values()
            }
        return ResolveOut(
            configuration=dict(resolution.configuration),
            valid=resolution.valid,
            conflicts=[
                ConflictOut(all=dict(conflict.all), reason=conflict.reason)
                for conflict in resolution.conflicts
            ],
            nearest=None if resolution.nearest is None else dict(resolution.nearest),
            images=images,
            neighbours=neighbours,
        )

    def _view(self, composition: Composition, view: View) -> ViewOut:
        return ViewOut(
            id=view.id,
            title=view.title,
            version=self._planner.version(composition, view),
            width=view.width_px,
            height=view.height_px,
            options=list(view.options),
            widths=list(offered_widths(view.width_px)),
            url_template=self.template(composition, view, None),
            placeholder=self._placeholders.get(self._default(composition, view).key),
            regions={name: self._region(composition, view, name) for name in view.regions},
        )

    def _region(self, composition: Composition, view: View, name: str) -> RegionOut:
        left, top, width, height = view.regions[name]
        return RegionOut(
            left=left,
            top=top,
            width=width,
            height=height,
            widths=list(offered_widths(width)),
            url_template=self.template(composition, view, name),
        )

    def template(self, composition: Composition, view: View, region: str | None) -> str:
        """Return the address of a picture, with braces where a client fills in."""
        version = self._planner.version(composition, view)
        return (
            f"{self._public_url}{IMAGE_PREFIX}{composition.id}/{build_view(view.id, region)}/"
            f"{version}/{{configuration}}/{{width}}.{{format}}"
        )

    def _default(self, composition: Composition, view: View) -> PlannedImage:
        return self._planner.plan(_request(composition, view, (), 0))

    def picture(
        self, composition: Composition, view: View, selection: tuple[tuple[str, str], ...]
    ) -> PictureOut:
        """Return the picture of a view of a configuration that is made."""
        planned = self._planner.plan(_request(composition, view, selection, SRC_WIDTH_PX))
        # What everybody can show: JPEG, or PNG where the picture is transparent.
        plain = Format.PNG if planned.plan.alpha else Format.JPEG
        widths = offered_widths(view.width_px)
        return PictureOut(
            src=self._url(planned, planned.image.width_px, plain),
            srcset=self._srcset(planned, widths, plain),
            width=view.width_px,
            height=view.height_px,
            alpha=planned.plan.alpha,
            iiif=self._iiif(planned),
            sources=[
                SourceOut(
                    type=FACTS[format_].media_type, srcset=self._srcset(planned, widths, format_)
                )
                for format_ in (Format.AVIF, Format.WEBP)
            ],
        )

    def _iiif(self, planned: PlannedImage) -> str:
        image = planned.image
        identifier = Identifier(
            composition=image.composition,
            view=image.view,
            version=image.version,
            selection=image.selection,
        )
        return f"{self._public_url}{IIIF_PREFIX}{build_identifier(identifier)}"

    def _srcset(self, planned: PlannedImage, widths: tuple[int, ...], format_: Format) -> str:
        return ", ".join(f"{self._url(planned, width, format_)} {width}w" for width in widths)

    def _url(self, planned: PlannedImage, width_px: int, format_: Format) -> str:
        image = replace(planned.image, width_px=width_px, format=format_)
        return self._public_url + build_image_path(image)


def widest_within(view: View, region: str | None, width_px: int) -> int:
    """Return the widest picture on offer of at most `width_px`, or the narrowest of all."""
    widths = offered_widths(view.frame(region)[2])
    return max((width for width in widths if width <= width_px), default=widths[0])


def _request(
    composition: Composition, view: View, selection: tuple[tuple[str, str], ...], width_px: int
) -> RenderRequest:
    return RenderRequest(
        composition=composition.id,
        view=view.id,
        region=None,
        selection=selection,
        width_px=widest_within(view, None, width_px),
        format=Format.WEBP,
    )


def _option(option: Option) -> OptionOut:
    return OptionOut(
        id=option.id,
        title=option.title,
        default=option.default,
        values=[
            ValueOut(
                id=value.id,
                title=value.title,
                swatch=value.material.swatch if value.material else None,
            )
            for value in option.values
        ],
    )


def _rule(rule: Rule) -> RuleOut:
    return RuleOut(
        all={option: list(values) for option, values in rule.all.items()}, reason=rule.reason
    )

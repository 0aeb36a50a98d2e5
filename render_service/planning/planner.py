"""Catalogue × what is asked for → the plan, its key and its canonical path.

The last place where anything is decided. What leaves here is complete: pixels are drawn from the
plan alone, and two requests that would draw the same pixels leave with the same key.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from render_service.composition.catalogue import Catalogue
from render_service.composition.configuration import resolve_view
from render_service.composition.model import TRANSPARENT, Composition, View
from render_service.composition.qualities import Picture, quality_of
from render_service.errors import AlphaNotOffered, UnknownVersion, WidthNotOffered
from render_service.formats import FACTS, Format
from render_service.planning.key import PIPELINE_REVISION, RenderKey, derive_key
from render_service.planning.negotiation import negotiate
from render_service.planning.placing import Frame, place_layers, seen_from, tone_of
from render_service.planning.plan import EncodeProfile, Output, RenderPlan, Window
from render_service.planning.request import PartRequest, RenderRequest, height_for, offered_widths
from render_service.planning.url import AliasPath, ImagePath, build_view
from render_service.planning.version import derive_version

_PREFERENCE: Final = (Format.AVIF, Format.WEBP, Format.JPEG, Format.PNG)
"""Order of formats at equal q: fewest bytes first."""


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


class Shown(NamedTuple):
    """What a view shows: the configuration has the view's options, all of them, in order."""

    composition: Composition
    view: View
    version: str
    configuration: Mapping[str, str]


class _Subject(NamedTuple):
    """What a picture is of."""

    composition: Composition
    view: View
    region: str | None


class Planner:
    """Plans the pictures of one catalogue; holds nothing else but the versions of its views.

    Attributes:
        catalogue: What it plans pictures of.
        profiles: How each format is encoded.
        pipeline: The revision of the pipeline that its plans are written for.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        profiles: Mapping[Format, EncodeProfile],
        *,
        pipeline: int = PIPELINE_REVISION,
        versions: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Plan the pictures of `catalogue`, encoded by `profiles`, which has every format.

        Args:
            catalogue: The snapshot.
            profiles: How each format is encoded.
            pipeline: Another revision than this program draws gives plans that can be looked up
                by their keys and not drawn.
            versions: (composition, view) → version, where they are known; others are derived.
        """
        self.catalogue, self.pipeline = catalogue, pipeline
        self.profiles = profiles
        self._versions = dict(versions or {})

    def holds(self, composition: str, view: str, version: str) -> bool:
        """Return whether `version` is that of the view here."""
        found = self.catalogue.compositions.get(composition)
        shown = found.views.get(view) if found else None
        if found is None or shown is None:
            return False
        return self.version(found, shown) == version

    def plan_image(self, image: ImagePath) -> PlannedImage:
        """Return the picture of an immutable path.

        The path given is the canonical one if `build_image_path` of the result's `image` is it.

        Raises:
            NotFound: Its composition, view, region or version is not there.
            InvalidRequest: Its width is not offered.
            InvalidSelection: It cannot be configured that way.
        """
        subject = self._subject(image.composition, image.view, image.region)
        current = self.version(subject.composition, subject.view)
        if image.version != current:
            name = f"{image.composition}/{build_view(image.view, image.region)}"
            raise UnknownVersion(name, image.version, current)
        return self._plan(subject, dict(image.selection), image.width_px, image.format)

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
        subject = self._subject(alias.composition, alias.view, alias.region)
        widths = offered_widths(subject.view.frame(alias.region)[2])
        width_px = next((width for width in widths if width >= alias.width_px), widths[-1])
        file_format = alias.format
        if file_format is None:
            alpha = has_alpha(resolve_view(subject.composition, subject.view, selection))
            offered = [f for f in _PREFERENCE if FACTS[f].alpha or not alpha]
            file_format = negotiate(accept, offered)
        return self._plan(subject, selection, width_px, file_format)

    def show(
        self, composition: str, view: str, version: str, selection: Mapping[str, str]
    ) -> Shown:
        """Return what a view of that version shows of a selection, defaults filled.

        Raises:
            NotFound: The composition, view or version is not there.
            InvalidSelection: It cannot be configured that way.
        """
        subject = self._subject(composition, view, None)
        current = self.version(subject.composition, subject.view)
        if version != current:
            raise UnknownVersion(f"{composition}/{view}", version, current)
        configuration = resolve_view(subject.composition, subject.view, selection)
        return Shown(subject.composition, subject.view, current, configuration)

    def plan_part(self, shown: Shown, part: PartRequest) -> RenderPlan:
        """Return the plan of a part of a view; all of it has the plan that `/r/` draws it by.

        Raises:
            AlphaNotOffered: The picture is transparent and the format cannot be.
        """
        frame = shown.view.frame(None)
        box = part.window
        whole = (box.left_px, box.top_px, box.width_px, box.height_px) == frame
        output = Output(
            format=part.format,
            width_px=part.width_px,
            height_px=part.height_px,
            profile=self._profile(shown, None, part.format, _whole_width(part, frame)),
            tint=part.tint,
            mirrored=part.mirrored,
            quarter_turns=part.quarter_turns,
        )
        return self._draw(shown, frame, output, None if whole else box)

    def plan(self, request: RenderRequest) -> PlannedImage:
        """Return the picture that `request` asks for, in the current version of its view.

        Raises:
            NotFound: Its composition, view or region is not there.
            InvalidRequest: Its width is not offered.
            InvalidSelection: It cannot be configured that way.
        """
        subject = self._subject(request.composition, request.view, request.region)
        return self._plan(subject, dict(request.selection), request.width_px, request.format)

    def version(self, composition: Composition, view: View) -> str:
        """Return the ten hex digits that name everything `view` can show now."""
        place = (composition.id, view.id)
        if place not in self._versions:
            self._versions[place] = derive_version(self.catalogue, composition, view, self.profiles)
        return self._versions[place]

    def _plan(
        self, subject: _Subject, selection: Mapping[str, str], width_px: int, file_format: Format
    ) -> PlannedImage:
        composition, view, region = subject
        frame = view.frame(region)
        widths = offered_widths(frame[2])
        if width_px not in widths:
            raise WidthNotOffered(str(width_px), widths)
        configuration = resolve_view(composition, view, selection)
        shown = Shown(composition, view, self.version(composition, view), configuration)
        output = Output(
            format=file_format,
            width_px=width_px,
            height_px=height_for(width_px, frame[2], frame[3]),
            profile=self._profile(shown, region, file_format, width_px),
        )
        plan = self._draw(shown, frame, output)
        image = ImagePath(
            composition=composition.id,
            view=view.id,
            region=region,
            version=shown.version,
            selection=tuple(configuration.items()),
            width_px=width_px,
            format=file_format,
        )
        return PlannedImage(plan=plan, key=derive_key(plan), image=image)

    def _profile(
        self, shown: Shown, region: str | None, file_format: Format, width_px: int
    ) -> EncodeProfile:
        """The profile of the format, at the quality that was calibrated for what is shown."""
        picture = Picture(view=shown.view, region=region, format=file_format)
        quality = quality_of(shown.composition, picture, width_px, shown.configuration)
        profile = self.profiles[file_format]
        return profile if quality is None else replace(profile, quality=quality)

    def _draw(
        self, shown: Shown, frame: Frame, output: Output, window: Window | None = None
    ) -> RenderPlan:
        """The plan of what is shown in `frame`, or in a window of it."""
        alpha = has_alpha(shown.configuration)
        if alpha and not FACTS[output.format].alpha:
            raise AlphaNotOffered(output.format, [f for f in Format if FACTS[f].alpha])
        seen = None if window is None else seen_from(window, output)
        return RenderPlan(
            pipeline=self.pipeline,
            canvas_width_px=frame[2],
            canvas_height_px=frame[3],
            placements=place_layers(
                self.catalogue, shown.composition, shown.view, shown.configuration, frame, seen
            ),
            tone=tone_of(shown.composition),
            alpha=alpha,
            output=output,
            window=window,
        )

    def _subject(self, composition: str, view: str, region: str | None) -> _Subject:
        found = self.catalogue.composition(composition)
        return _Subject(found, found.view(view, region), region)


def has_alpha(configuration: Mapping[str, str]) -> bool:
    """Return whether the picture keeps its transparency: `background=transparent`."""
    option, value = TRANSPARENT
    return configuration.get(option) == value


def _whole_width(part: PartRequest, frame: Frame) -> int:
    """The width on offer that the whole view would have at the scale of the part, rounded up.

    A part is encoded as the whole is at its scale: what it shows is as large there.
    """
    whole_px = -(-frame[2] * part.width_px // part.window.width_px)
    widths = offered_widths(frame[2])
    return next((width for width in widths if width >= whole_px), widths[-1])

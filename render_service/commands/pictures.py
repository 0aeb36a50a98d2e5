"""`render` and `sheet`: a picture, or a sheet of them, to a file.

They draw through the same planner and the same pixels as the server, so a file made here is the
file that is served.
"""

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from tqdm import tqdm

from render_service.adapters.output_file import STANDARD_OUTPUT, write_output
from render_service.composition.model import Composition
from render_service.errors import (
    ForbiddenConfiguration,
    FormatNotOffered,
    InvalidPlan,
    InvalidRequest,
    UnknownOption,
)
from render_service.formats import Format
from render_service.pixels.compose import Canvas
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.offline import render as render_plan
from render_service.pixels.sheet import join
from render_service.planning.key import encode_plan
from render_service.planning.plan import Output, RenderPlan
from render_service.planning.planner import PlannedImage
from render_service.planning.request import RenderRequest, offered_widths
from render_service.planning.url import IMAGE_PREFIX, parse_image_path
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters
from render_service.settings import Settings
from render_service.wiring import Studio, open_studio

USUAL_WIDTH_PX = 800
"""Width of a picture where none is asked for: half of a screen."""


def render(
    settings: Settings,
    *,
    subject: Sequence[str],
    plan_file: Path | None,
    width_px: int | None,
    file_format: Format | None,
    output: str,
    save_plan: Path | None,
) -> int:
    """Make one picture and write it to `output`; return the exit status.

    Args:
        settings: Where the catalogue is, and the limits.
        subject: A composition, a view and `option=value` words; or one `/r/…` path; or nothing.
        plan_file: A plan to draw instead of a subject.
        width_px: Width, where the subject does not say; None takes the widest up to 800.
        file_format: Format, where neither the subject nor the name of `output` says.
        output: File to write, or `-`.
        save_plan: Where the plan is written too, or None.

    Raises:
        RenderServiceError: It could not be made; nothing was written.
    """
    studio = open_studio(settings)
    named = _named_format(output)
    plan = _chosen(studio, subject, plan_file, width_px, file_format or named)
    for asked in (file_format, named):
        if asked is not None and asked is not plan.output.format:
            raise InvalidRequest(f"What is drawn is {plan.output.format}, not {asked}.")
    body = render_plan(plan, studio.assets.read_now, studio.limits)
    if save_plan is not None:
        write_output(str(save_plan), msgspec.json.format(encode_plan(plan)))
    write_output(output, body)
    return 0


def _chosen(
    studio: Studio,
    subject: Sequence[str],
    plan_file: Path | None,
    width_px: int | None,
    file_format: Format | None,
) -> RenderPlan:
    """The plan in a file, of a URL's path, or of a composition, a view and a selection."""
    if (plan_file is None) == (not subject):
        raise InvalidRequest("Name a composition and a view, or a /r/ path, or give --plan FILE.")
    path = urlsplit(subject[0]).path if subject else ""
    whole = plan_file is not None or path.startswith(IMAGE_PREFIX)
    if whole and (width_px is not None or len(subject) > 1):
        raise InvalidRequest("A plan and a /r/ path say all of the picture; give nothing else.")
    if plan_file is not None:
        return read_plan(plan_file)
    if whole:
        return studio.planner.plan_image(parse_image_path(unquote(path))).plan
    if file_format is None:
        raise InvalidRequest("Give --format: standard output has no name to tell it by.")
    return _plan(studio, subject, width_px, file_format).plan


def read_plan(file: Path) -> RenderPlan:
    """Return the plan in `file`: as saved, or as `explain` answers it under `plan`.

    Raises:
        InvalidPlan: It cannot be read, or is no plan; says where.
    """
    try:
        data = file.read_bytes()
        document = msgspec.json.decode(data)
        if isinstance(document, dict) and "plan" in document:
            document = document["plan"]
        return msgspec.convert(document, RenderPlan)
    except OSError as error:
        raise InvalidPlan(f"The plan {file} cannot be read ({error.strerror}).") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidPlan(f"{file} is not a plan: {error}.") from error


def sheet(
    settings: Settings,
    *,
    composition: str,
    view: str,
    selection: Sequence[str],
    down: str,
    across: str,
    width_px: int,
    output: str,
) -> int:
    """Draw one option down and another across, and write the sheet; return the exit status.

    Raises:
        RenderServiceError: It could not be made; nothing was written.
    """
    studio = open_studio(settings)
    file_format = _format_of(output)
    found = studio.planner.catalogue.composition(composition)
    rows, columns = _values(found, down), _values(found, across)
    if down == across or any(pair.partition("=")[0] in (down, across) for pair in selection):
        raise InvalidRequest("--down, --across and the selection name different options.")
    plans: list[RenderPlan | None] = []
    for row, column in product(rows, columns):
        words = [composition, view, *selection, f"{down}={row}", f"{across}={column}"]
        try:
            plans.append(_plan(studio, words, width_px, Format.PNG).plan)
        except ForbiddenConfiguration as error:
            print(f"{row}, {column} is left blank: {error}", file=sys.stderr)
            plans.append(None)
    joined = _join(studio, plans, len(columns), settings.raster_cache_bytes)
    write_output(output, encode(joined, _whole(joined, file_format)))
    print(f"down, {down}: {', '.join(rows)}")
    print(f"across, {across}: {', '.join(columns)}")
    return 0


def _join(
    studio: Studio, plans: Sequence[RenderPlan | None], columns: int, cache_bytes: int
) -> Canvas:
    """Draw `plans` and lay them out in rows of `columns`, white where there is none.

    Raises:
        InvalidRequest: There is nothing to draw.
    """
    if not any(plans):
        raise InvalidRequest("None of these configurations is made.")
    rasters = Rasters(budget_bytes=cache_bytes)
    pictures = [
        None
        if plan is None
        else draw_with(plan, rasters, studio.assets.read_now, studio.limits)[..., :3]
        for plan in tqdm(plans, unit="picture", disable=None)
    ]
    return join([pictures[at : at + columns] for at in range(0, len(pictures), columns)])


def _whole(canvas: Canvas, file_format: Format) -> Output:
    """The output that takes a canvas as it is."""
    height_px, width_px = canvas.shape[:2]
    profile = PROFILES[file_format]
    return Output(format=file_format, width_px=width_px, height_px=height_px, profile=profile)


def _plan(
    studio: Studio, subject: Sequence[str], width_px: int | None, file_format: Format
) -> PlannedImage:
    """Plan `COMPOSITION VIEW[:REGION] [OPTION=VALUE …]`."""
    if len(subject) < 2:
        views = ", ".join(
            f"{c.id} {view}"
            for c in studio.planner.catalogue.compositions.values()
            for view in c.views
        )
        raise InvalidRequest(f"Name a composition and a view; there are: {views}.")
    composition, view, *pairs = subject
    selection: dict[str, str] = {}
    for pair in pairs:
        option, equals, value = pair.partition("=")
        if not equals or option in selection:
            raise InvalidRequest(f"{pair!r} is not OPTION=VALUE, or names its option again.")
        selection[option] = value
    name, colon, rest = view.partition(":")
    region = rest if colon else None
    if width_px is None:
        found = studio.planner.catalogue.composition(composition).view(name, region)
        widths = offered_widths(found.frame(region)[2])
        width_px = max((w for w in widths if w <= USUAL_WIDTH_PX), default=widths[0])
    return studio.planner.plan(
        RenderRequest(
            composition=composition,
            view=name,
            region=region,
            selection=tuple(selection.items()),
            width_px=width_px,
            format=file_format,
        )
    )


def _values(composition: Composition, option: str) -> tuple[str, ...]:
    if option not in composition.options:
        raise UnknownOption(composition.id, option, tuple(composition.options))
    return composition.options[option].ids


def _named_format(output: str) -> Format | None:
    """The format of the file's name; None for standard output, which has none."""
    return None if output == STANDARD_OUTPUT else _format_of(output)


def _format_of(output: str) -> Format:
    extension = Path(output).suffix.removeprefix(".")
    try:
        return Format(extension)
    except ValueError:
        raise FormatNotOffered(extension, [str(f) for f in Format]) from None

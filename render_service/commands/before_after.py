"""Pictures before and after a release, and where they differ, in a folder with a page to look at.

What is drawn is spread evenly over all that changes; the page says how much that is of the whole.
"""

import asyncio
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from tqdm import tqdm

from render_service.adapters.output_file import write_output
from render_service.commands.sides import Side
from render_service.errors import InvalidRequest
from render_service.formats import Format
from render_service.pixels.compose import Canvas
from render_service.pixels.difference import GAIN, differ, flatten
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.limits import Limits
from render_service.planning.key import PIPELINE_REVISION
from render_service.planning.plan import Output
from render_service.planning.planner import PlannedImage
from render_service.planning.url import build_image_path
from render_service.releases.changes import Pair
from render_service.releases.difference import changed_pairs
from render_service.rendering.offline import draw_with
from render_service.rendering.rasters import Rasters
from render_service.settings import Settings
from render_service.wiring import build_limits

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 24px; color: #222; background: #fff }}
table {{ border-collapse: collapse }} td {{ padding: 0 12px 24px 0; vertical-align: top }}
th {{ text-align: left; padding-right: 12px }} img {{ display: block; max-width: 100% }}
p {{ max-width: 70em }}
</style>
<h1>{title}</h1>
<p>{said} In the third column grey is equal, and differences are shown {gain} times as strong.</p>
<table><tr><th>before<th>after<th>difference</tr>
{rows}
</table></html>
"""


class _Row(Struct, frozen=True, kw_only=True):
    """One line of the page: what is shown, and the files of its pictures that there are."""

    caption: str
    files: tuple[str | None, str | None, str | None]


class _Artist(Struct, frozen=True, kw_only=True):
    """Draws the pictures of both sides."""

    old: Side
    new: Side
    rasters: Rasters
    limits: Limits
    loop: asyncio.AbstractEventLoop

    def draw(self, side: Side, planned: PlannedImage | None) -> Canvas | None:
        """Return the picture; None where there is none, or of a pipeline that is not ours."""
        if planned is None or planned.plan.pipeline != PIPELINE_REVISION:
            return None
        return flatten(draw_with(planned.plan, self.rasters, self._reader(side), self.limits))

    def _reader(self, side: Side) -> Callable[[str], bytes]:
        def read(asset: str) -> bytes:
            return asyncio.run_coroutine_threadsafe(_read(side, asset), self.loop).result()

        return read


async def _read(side: Side, asset: str) -> bytes:
    return await side.read(asset)


async def write_pictures(
    settings: Settings, old: Side, new: Side, folder: Path, *, width_px: int, sample: int
) -> str:
    """Write at most `sample` pictures of what changes into `folder`; return what was written.

    Raises:
        InvalidRequest: The folder cannot be written.
        AssetFailure: A layer file cannot be read.
    """
    artist = _Artist(
        old=old,
        new=new,
        rasters=Rasters(budget_bytes=settings.raster_cache_bytes),
        limits=build_limits(settings),
        loop=asyncio.get_running_loop(),
    )
    return await asyncio.to_thread(_write, artist, folder, width_px, sample)


def _write(artist: _Artist, folder: Path, width_px: int, sample: int) -> str:
    pairs = list(changed_pairs(artist.old.planner, artist.new.planner, width_px=width_px))
    chosen = [pairs[i * len(pairs) // sample] for i in range(sample)] if sample else []
    if len(pairs) <= sample:
        chosen = pairs
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{folder} cannot be written ({error.strerror}).") from error
    rows = [
        _write_row(artist, folder, number, pair)
        for number, pair in enumerate(tqdm(chosen, unit="picture", disable=None, leave=False), 1)
    ]
    said = f"{len(rows)} of the {len(pairs)} configurations whose picture changes are shown."
    title = f"{artist.old.name} → {artist.new.name}"
    _write_page(folder, title, said, rows)
    return f"{said} {folder / 'index.html'}"


def _write_row(artist: _Artist, folder: Path, number: int, pair: Pair) -> _Row:
    before = artist.draw(artist.old, pair.old)
    after = artist.draw(artist.new, pair.new)
    between = None if before is None or after is None else differ(before, after)
    shown = pair.new or pair.old
    caption = "" if shown is None else build_image_path(shown.image)
    if pair.old is None or pair.new is None:
        caption += " · not made before" if pair.old is None else " · not made any more"
    elif before is None or after is None:
        caption += " · of another pipeline, which this program does not draw"
    elif between is None:
        caption += " · of another size"
    else:
        caption += (
            f" · {between.share:.1%} of the pixels differ, by {between.worst} of 255 levels at most"
        )
    canvases = (before, after, between.canvas if between else None)
    names = ("before", "after", "difference")
    files = tuple(
        None if canvas is None else _save(folder, f"{number:03d}-{name}.png", canvas)
        for name, canvas in zip(names, canvases, strict=True)
    )
    return _Row(caption=caption, files=(files[0], files[1], files[2]))


def _save(folder: Path, name: str, canvas: Canvas) -> str:
    height_px, width_px = canvas.shape[:2]
    profile = PROFILES[Format.PNG]
    output = Output(format=Format.PNG, width_px=width_px, height_px=height_px, profile=profile)
    write_output(str(folder / name), encode(canvas, output))
    return name


def _write_page(folder: Path, title: str, said: str, rows: Sequence[_Row]) -> None:
    lines = []
    for row in rows:
        cells = "".join(f'<td><img src="{file}" alt="">' if file else "<td>—" for file in row.files)
        lines.append(f'<tr><td colspan="3">{html.escape(row.caption)}</tr><tr>{cells}</tr>')
    page = _PAGE.format(
        title=html.escape(title), said=html.escape(said), gain=GAIN, rows="\n".join(lines)
    )
    write_output(str(folder / "index.html"), page.encode())

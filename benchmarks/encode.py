"""What does each encode profile cost, in time, bytes and error? And what would its neighbours?

The rule: every number of `render_service.pixels.encode` is a row here beside the choices that were
not made, on pictures whose saturated red shows what chroma loses, one of them in platinum, which
shows what an encoder that rounds chroma away does to a metal that has next to none.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from benchmarks.pictures import Picture, made_up_ring, ring
from benchmarks.report import Cell, Report, machine_facts, parse_arguments, publish, time_in_turn
from render_service.formats import Format
from render_service.pixels.compose import Canvas, draw
from render_service.pixels.encode import PROFILES, encode
from render_service.pixels.vips import pyvips

SIDE_PX = 1024
METALS = ("rose-gold-18k", "platinum-950")
GEM = "ruby"

# CIELAB a* of what counts as red: ruby and its glow on gold, not the gold.
RED_FROM = 35

# What is plain spans at most 3 levels of 255 over 7 pixels; beside an edge is within 16 of one:
# the block that holds the edge, where an encoder leaves its noise for the eye to find.
PLAIN_LEVELS, PLAIN_PX, BESIDE_PX = 3, 7, 16

# CIELAB chroma of what counts as colourless: white metals, their shadow and the backdrop.
GREY_TO = 8
# Over so many pixels an eye takes the mean colour of a metal.
TINT_SIGMA_PX = 6

# Quality, effort and chroma around each profile in use.
TRIED: dict[Format, list[tuple[int, int, int]]] = {
    Format.WEBP: [(75, 2, 420), (82, 1, 420), (82, 4, 420), (82, 6, 420), (88, 2, 420)],
    Format.AVIF: [(50, 2, 444), (60, 0, 444), (60, 1, 444), (60, 2, 420), (70, 1, 444)],
    Format.JPEG: [(80, 0, 444), (85, 0, 420), (90, 0, 444)],
    Format.PNG: [(100, 3, 444), (100, 9, 444)],
}


ERRORS = ("dE00", "99.5 %", "red dE00", "red 99.5 %", "red chroma error", "beside 99.5 %", "tint")


class Case(Struct, frozen=True, kw_only=True, eq=False):
    """One way to encode.

    Attributes:
        name: Format and settings.
        in_use: Whether it is a profile of the service.
        encode: Returns the file.
    """

    name: str
    in_use: bool
    encode: Callable[[], bytes]


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=5)
    rings = [ring({"metal": metal, "gem": GEM}, SIDE_PX) for metal in METALS]
    pictures = (*rings, made_up_ring(SIDE_PX))
    report = Report(
        question="Time, bytes and error of each encode profile (*) and of what was not chosen.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings={
            "size": f"{SIDE_PX} px wide",
            "red": f"pixels of a* over {RED_FROM}",
            "beside": f"plain pixels within {BESIDE_PX} px of an edge",
            "tint": f"chroma distance, mean of what is under C* {GREY_TO} and nearer than that to "
            f"an edge, blurred by {TINT_SIGMA_PX} px",
            "threads": 1,
            "rounds": arguments.rounds,
            "clock": "processor time",
        },
        columns=("picture", "format", "ms", "kB", *ERRORS),
        rows=tuple(row for picture in pictures for row in _rows(picture, arguments.rounds)),
    )
    publish(report, arguments.json)


def _rows(picture: Picture, rounds: int) -> Iterator[tuple[Cell, ...]]:
    canvas = draw(picture.plan, picture.tile)
    image = _image(canvas)
    original = _Original(image)
    cases = [*_profiles(picture, canvas), *_not_in_use(image)]
    times = time_in_turn({case.name: case.encode for case in cases}, rounds, time.process_time)
    for case in cases:
        data = case.encode()
        name = f"{case.name}{' *' if case.in_use else ''}"
        errors = original.errors(data)
        yield picture.name, name, str(times[case.name]), len(data) / 1000, *errors


def _profiles(picture: Picture, canvas: Canvas) -> Iterator[Case]:
    """The profiles in use and their neighbours."""
    for file_format, tried in TRIED.items():
        used = PROFILES[file_format]
        choices = {(used.quality, used.effort, used.chroma), *tried}
        for quality, effort, chroma in sorted(choices):
            profile = replace(used, quality=quality, effort=effort, chroma=chroma)
            output = replace(picture.output(file_format), profile=profile)
            yield Case(
                name=f"{file_format} q{quality} effort {effort} {chroma}",
                in_use=profile == used,
                encode=lambda output=output: encode(canvas, output),  # type: ignore[misc]
            )


def _not_in_use(image: pyvips.Image) -> Iterator[Case]:
    """Settings that no profile has: sharper chroma in WebP, libaom's own tuning in AVIF."""
    webp, avif = PROFILES[Format.WEBP], PROFILES[Format.AVIF]
    yield Case(
        name=f"webp q{webp.quality} effort {webp.effort} smart_subsample",
        in_use=False,
        encode=lambda: image.webpsave_buffer(
            Q=webp.quality, effort=webp.effort, smart_subsample=True, keep=0
        ),
    )
    for tune in ("default", "ssim"):
        yield Case(
            name=f"avif q{avif.quality} effort {avif.effort} {avif.chroma} {tune} tune",
            in_use=False,
            encode=lambda tune=tune: image.heifsave_buffer(  # type: ignore[misc]
                compression="av1",
                encoder="aom",
                Q=avif.quality,
                effort=avif.effort,
                subsample_mode="off" if avif.chroma == 444 else "on",
                keep=0,
                **({} if tune == "default" else {"tune": tune}),
            ),
        )


class _Original:
    """A picture that files are held against, and where in it to look."""

    def __init__(self, image: pyvips.Image) -> None:
        self._lab = image.colourspace("lab")
        values = self._lab.numpy()
        self._red = values[..., 1] > RED_FROM
        green, last = image[1], PLAIN_PX**2 - 1
        spans = green.rank(PLAIN_PX, PLAIN_PX, last) - green.rank(PLAIN_PX, PLAIN_PX, 0)
        edges = spans > PLAIN_LEVELS
        reach = 2 * BESIDE_PX + 1
        near = edges.rank(reach, reach, reach**2 - 1).numpy() != 0
        # Where the picture is plain and an edge is near, noise shows.
        self._beside: NDArray[np.bool_] = (edges.numpy() == 0) & near
        self._grey = (np.hypot(values[..., 1], values[..., 2]) < GREY_TO) & near

    def errors(self, data: bytes) -> tuple[Cell, ...]:
        """CIEDE2000 against it over all pixels, red ones, and plain ones beside edges.

        Of red ones the chroma distance, too, and of colourless ones that of their means.
        """
        decoded = pyvips.Image.new_from_buffer(data, "").colourspace("lab")
        apart = decoded.dE00(self._lab).numpy().reshape(self._red.shape)
        off = (decoded - self._lab)[1:]
        chroma, means = (
            np.hypot(*np.moveaxis(of.numpy(), 2, 0)) for of in (off, off.gaussblur(TINT_SIGMA_PX))
        )
        found = (
            apart.mean(),
            np.quantile(apart, 0.995),
            apart[self._red].mean(),
            np.quantile(apart[self._red], 0.995),
            chroma[self._red].mean(),
            np.quantile(apart[self._beside], 0.995),
            means[self._grey].mean(),
        )
        return tuple(float(value) for value in found)


def _image(canvas: Canvas) -> pyvips.Image:
    height, width, bands = canvas.shape
    return pyvips.Image.new_from_memory(canvas.data, width, height, bands, "uchar").copy(
        interpretation="srgb"
    )


if __name__ == "__main__":
    main()

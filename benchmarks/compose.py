"""What does drawing cost on top of encoding? A whole render over the encoder alone, by stage.

The rule: one thread, resident layers, the same pixels for both, timed in turn in one run, by the
processor time of this process: a busy machine stretches the clock on the wall, and not evenly.

Stages are timed in the same rounds: every layer's own part of the drawing is what is saved when it
is left out, the rest of the drawing is clearing, the view transform and what lies around the loop.

Beside our profiles stands what libvips does when nobody asks for anything: the faster an encoder
that was chosen, the more the same drawing is of it.
"""

import time
from collections.abc import Callable

from msgspec.structs import replace

from benchmarks.pictures import Picture, made_up_ring, ring
from benchmarks.report import (
    Bar,
    Cell,
    Chart,
    Report,
    Times,
    machine_facts,
    parse_arguments,
    publish,
    ratio,
    summarise,
    time_in_turn,
)
from render_service.formats import Format
from render_service.pixels.compose import Canvas, draw
from render_service.pixels.encode import encode
from render_service.pixels.vips import pyvips
from render_service.planning.plan import RenderPlan

SIDE_PX = 1024
CLOCK = "processor time"
SELECTION = {"metal": "rose-gold-18k", "gem": "ruby"}

GOAL = 1.15
"""A whole render over the encoder alone, of the formats that shops are served."""

SERVED = (Format.WEBP, Format.AVIF)
DEFAULTS = "by libvips' defaults: encode"


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=25)
    pictures = [ring(SELECTION, SIDE_PX), made_up_ring(SIDE_PX)]
    rows: list[tuple[Cell, ...]] = []
    ratios: dict[str, Times] = {}
    beside: dict[str, Times] = {}
    for picture in pictures:
        stages = _stages(picture, arguments.rounds)
        rows += _drawing_rows(picture, stages)
        for file_format in Format:
            times = _encoding_times(picture, file_format, arguments.rounds)
            rows += _encoding_rows(picture, file_format, times)
            if file_format in SERVED:
                name = f"{picture.name}, {file_format}"
                ratios[name] = _over(times["render"], times["encode"])
                beside[name] = _over(times["render"], times[DEFAULTS])
    publish(_report(pictures, rows, ratios, beside, arguments.rounds), arguments.json)


def _report(
    pictures: list[Picture],
    rows: list[tuple[Cell, ...]],
    ratios: dict[str, Times],
    beside: dict[str, Times],
    rounds: int,
) -> Report:
    settings: dict[str, Cell] = {
        "size": f"{SIDE_PX} px",
        "threads": 1,
        "rounds": rounds,
        "clock": CLOCK,
    }
    layers: dict[str, Cell] = {picture.name: _layers(picture) for picture in pictures}
    worst = max(over.median_ms for over in ratios.values())
    return Report(
        question="A whole render (draw and encode) over the encoder alone, on the same pixels.",
        method=__doc__ or "",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings=settings | layers,
        columns=("picture", "stage", "ms", "of the encoder"),
        rows=tuple(rows),
        verdicts=(
            f"Goal: at most {GOAL} times the encoder: at most {worst:.2f} as WebP and AVIF: "
            f"{'met' if worst <= GOAL else 'missed'}.",
            "A whole render over libvips' defaults, encoding alone: "
            + "; ".join(f"{name} {over.median_ms:.2f}" for name, over in beside.items())
            + ".",
        ),
        charts=(
            Chart(
                title="A whole render over the encoder alone",
                unit="times",
                bars=tuple(
                    Bar(label=name, value=t.median_ms, low=t.low_ms, high=t.high_ms)
                    for name, t in ratios.items()
                ),
                goal=GOAL,
            ),
        ),
    )


def _stages(picture: Picture, rounds: int) -> dict[str, Times]:
    """The whole drawing, and the drawing without each layer in turn."""

    def draws(plan: RenderPlan) -> Callable[[], Canvas]:
        return lambda: draw(plan, picture.tile)

    cases = {"draw": draws(picture.plan)}
    placements = picture.plan.placements
    for number, left_out in enumerate(placements):
        rest = tuple(placement for placement in placements if placement is not left_out)
        cases[_name(picture, number)] = draws(replace(picture.plan, placements=rest))
    return time_in_turn(cases, rounds, time.process_time)


def _drawing_rows(picture: Picture, stages: dict[str, Times]) -> list[tuple[Cell, ...]]:
    whole = stages["draw"].median_ms
    parts = {
        name: max(0.0, whole - without.median_ms)
        for name, without in stages.items()
        if name != "draw"
    }
    rest = max(0.0, whole - sum(parts.values()))
    return [
        *((picture.name, f"draw: {name}", f"{ms:.1f}", "-") for name, ms in parts.items()),
        (picture.name, "draw: clearing, tone, the loop", f"{rest:.1f}", "-"),
    ]


def _encoding_times(picture: Picture, file_format: Format, rounds: int) -> dict[str, Times]:
    """The stages of one format."""
    output = picture.output(file_format)
    canvas = draw(picture.plan, picture.tile)
    cases: dict[str, Callable[[], object]] = {
        "draw": lambda: draw(picture.plan, picture.tile),
        "encode": lambda: encode(canvas, output),
        "render": lambda: encode(draw(picture.plan, picture.tile), output),
    }
    if file_format in SERVED:
        image = pyvips.Image.new_from_array(canvas, interpretation="srgb")
        cases[DEFAULTS] = lambda: image.write_to_buffer(f".{file_format}")
    return time_in_turn(cases, rounds, time.process_time)


def _encoding_rows(
    picture: Picture, file_format: Format, times: dict[str, Times]
) -> list[tuple[Cell, ...]]:
    profile = picture.output(file_format).profile
    coded = f"{file_format} q{profile.quality} effort {profile.effort} {profile.chroma}"
    return [
        (
            picture.name,
            f"{file_format} {DEFAULTS}" if name == DEFAULTS else f"{coded}: {name}",
            str(taken),
            ratio(taken, times["encode"]),
        )
        for name, taken in times.items()
    ]


def _over(whole: Times, alone: Times) -> Times:
    """One over the other in every round."""
    pairs = zip(whole.rounds_ms, alone.rounds_ms, strict=True)
    return summarise([one / other for one, other in pairs])


def _name(picture: Picture, number: int) -> str:
    placement = picture.plan.placements[number]
    tile = picture.tile(placement)
    share = tile.width_px * tile.height_px / SIDE_PX**2
    return f"layer {number + 1}, {placement.blend}, {share:.2f} of the canvas"


def _layers(picture: Picture) -> str:
    """Each layer's blend and the share of the canvas that its tile takes."""
    return "; ".join(_name(picture, number) for number in range(len(picture.plan.placements)))


if __name__ == "__main__":
    main()

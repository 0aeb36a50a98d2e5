"""What does drawing cost on top of encoding? A whole render over the encoder alone, by stage.

The rule: one thread, resident layers, the same pixels for both, timed in turn in one run, by the
processor time of this process: a busy machine stretches the clock on the wall, and not evenly.

Stages are timed in the same rounds: every layer's own part of the drawing is what is saved when it
is left out, the rest of the drawing is clearing, the view transform and what lies around the loop.
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
from render_service.planning.plan import RenderPlan

SIDE_PX = 1024
CLOCK = "processor time"
SELECTION = {"metal": "rose-gold-18k", "gem": "ruby"}

GOAL = 1.15
"""A whole render over the encoder alone, of the formats that shops are served."""

SERVED = (Format.WEBP, Format.AVIF)


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=25)
    pictures = [ring(SELECTION, SIDE_PX), made_up_ring(SIDE_PX)]
    rows: list[tuple[Cell, ...]] = []
    ratios: dict[str, Times] = {}
    for picture in pictures:
        stages = _stages(picture, arguments.rounds)
        rows += _drawing_rows(picture, stages)
        for file_format in Format:
            row, over = _encoding_rows(picture, file_format, arguments.rounds)
            rows += row
            if file_format in SERVED:
                ratios[f"{picture.name}, {file_format}"] = over
    publish(_report(pictures, rows, ratios, arguments.rounds), arguments.json)


def _report(
    pictures: list[Picture],
    rows: list[tuple[Cell, ...]],
    ratios: dict[str, Times],
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


def _encoding_rows(
    picture: Picture, file_format: Format, rounds: int
) -> tuple[list[tuple[Cell, ...]], Times]:
    """The stages of one format, and the whole over the encoder in every round."""
    output = picture.output(file_format)
    canvas = draw(picture.plan, picture.tile)
    times = time_in_turn(
        {
            "draw": lambda: draw(picture.plan, picture.tile),
            "encode": lambda: encode(canvas, output),
            "render": lambda: encode(draw(picture.plan, picture.tile), output),
        },
        rounds,
        time.process_time,
    )
    profile = output.profile
    coded = f"{file_format} q{profile.quality} effort {profile.effort} {profile.chroma}"
    over = [
        whole / alone
        for whole, alone in zip(times["render"].rounds_ms, times["encode"].rounds_ms, strict=True)
    ]
    rows: list[tuple[Cell, ...]] = [
        (picture.name, f"{coded}: {name}", str(taken), ratio(taken, times["encode"]))
        for name, taken in times.items()
    ]
    return rows, summarise(over)


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

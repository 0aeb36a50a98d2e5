"""What does drawing cost on top of encoding? A whole render over the encoder alone.

The rule: one thread, resident layers, the same pixels for both, timed in turn in one run, by the
processor time of this process: a busy machine stretches the clock on the wall, and not evenly.
"""

import time

from benchmarks.pictures import Picture, made_up_ring, ring
from benchmarks.report import (
    Cell,
    Report,
    machine_facts,
    parse_arguments,
    publish,
    ratio,
    time_in_turn,
)
from render_service.formats import Format
from render_service.pixels.compose import draw
from render_service.pixels.encode import encode

SIDE_PX = 1024
CLOCK = "processor time"
SELECTION = {"metal": "rose-gold-18k", "gem": "ruby"}

# From issue 2, section 7: a fused composite should cost a tenth to a fifth of the encoder.
GOALS = {Format.WEBP: 1.25, Format.AVIF: 1.20}


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=25)
    pictures = {
        picture.name: picture for picture in (ring(SELECTION, SIDE_PX), made_up_ring(SIDE_PX))
    }
    rows = [
        _row(picture, file_format, arguments.rounds)
        for picture in pictures.values()
        for file_format in Format
    ]
    settings: dict[str, Cell] = {
        "size": f"{SIDE_PX} px",
        "threads": 1,
        "rounds": arguments.rounds,
        "clock": CLOCK,
    }
    report = Report(
        question="A whole render (draw and encode) over the encoder alone, on the same pixels.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings=settings | {name: _layers(picture) for name, picture in pictures.items()},
        columns=("picture", "format", "draw ms", "encode ms", "render ms", "render/encode", "goal"),
        rows=tuple(rows),
    )
    publish(report, arguments.json)


def _row(picture: Picture, file_format: Format, rounds: int) -> tuple[Cell, ...]:
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
    return (
        picture.name,
        f"{file_format} q{profile.quality} effort {profile.effort} {profile.chroma}",
        *(str(times[name]) for name in ("draw", "encode", "render")),
        ratio(times["render"], times["encode"]),
        GOALS.get(file_format, "-"),
    )


def _layers(picture: Picture) -> str:
    """Each layer's blend and the share of the canvas that its tile takes."""
    layers = [(placement.blend, picture.tile(placement)) for placement in picture.plan.placements]
    return ", ".join(
        f"{blend} {tile.width_px * tile.height_px / SIDE_PX**2:.2f}" for blend, tile in layers
    )


if __name__ == "__main__":
    main()

"""What does drawing cost on top of encoding? A whole render over the encoder alone.

The rule: one thread, resident layers, the same pixels for both, timed in turn in one run.
"""

from benchmarks.pictures import Picture, ring
from benchmarks.report import Cell, Report, machine_facts, parse_arguments, publish, time_in_turn
from render_service.formats import Format
from render_service.pixels.compose import draw
from render_service.pixels.encode import encode

SIDE_PX = 1024
SELECTION = {"metal": "rose-gold-18k", "gem": "ruby"}

# From issue 2, section 7: a fused composite should cost a tenth to a fifth of the encoder.
GOALS = {Format.WEBP: 1.25, Format.AVIF: 1.20}


def main() -> None:
    """Time it, print it, write it."""
    arguments = parse_arguments(__doc__ or "", rounds=15)
    picture = ring(SELECTION, SIDE_PX)
    rows = [_row(picture, file_format, arguments.rounds) for file_format in Format]
    publish(_report(picture, rows, arguments.rounds), arguments.json)


def _row(picture: Picture, file_format: Format, rounds: int) -> tuple[Cell, ...]:
    output = picture.output(file_format)
    canvas = draw(picture.plan, picture.tile)
    profile = output.profile
    times = time_in_turn(
        {
            "draw": lambda: draw(picture.plan, picture.tile),
            "encode": lambda: encode(canvas, output),
            "both": lambda: encode(draw(picture.plan, picture.tile), output),
        },
        rounds,
    )
    ratio = times["both"].median_ms / times["encode"].median_ms
    return (
        f"{file_format} q{profile.quality} effort {profile.effort} {profile.chroma}",
        str(times["draw"]),
        str(times["encode"]),
        str(times["both"]),
        round(ratio, 3),
        GOALS.get(file_format, "-"),
    )


def _report(picture: Picture, rows: list[tuple[Cell, ...]], rounds: int) -> Report:
    layers = [picture.tile(placement) for placement in picture.plan.placements]
    shares = [layer.width_px * layer.height_px / SIDE_PX**2 for layer in layers]
    return Report(
        question="A whole render (draw and encode) over the encoder alone, on the same pixels.",
        machine=machine_facts("numpy", "pyvips", "pyvips-binary"),
        settings={
            "picture": picture.name,
            "size": f"{SIDE_PX} px",
            "layers": len(layers),
            "share of canvas": " ".join(f"{share:.2f}" for share in shares),
            "blends": " ".join(placement.blend for placement in picture.plan.placements),
            "threads": 1,
            "rounds": rounds,
        },
        columns=("format", "draw ms", "encode ms", "render ms", "render / encode", "goal"),
        rows=tuple(rows),
    )


if __name__ == "__main__":
    main()

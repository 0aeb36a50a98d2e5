"""`python -m compositions.studio`: trace, lay out and write the layers of the solitaire ring."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from compositions.studio import backdrop, encode
from compositions.studio.layers import Traces
from compositions.studio.scene import BANDS, SHAPES
from compositions.studio.stones import FAMILIES
from compositions.studio.views import VIEWS
from compositions.studio.work import QUALITIES

_RING = Path(__file__).parents[1] / "solitaire-ring"
_AVIF = {"draft": (60, 1), "final": (88, 4)}
BACKGROUNDS = ("studio", "white", "transparent")


def main() -> None:
    """Render what is missing, then write every layer asked for."""
    options = _parser().parse_args()
    traces = Traces(folder=options.work, quality=QUALITIES[options.quality])
    quality, effort = _AVIF[options.quality]
    total = 0
    for name, codes in _layers(traces, options.view, options.only):
        path = options.output / f"{name}.avif"
        size = encode.write_avif(path, codes, quality=quality, effort=effort)
        total += size
        print(f"{name}: {size / 1e3:.0f} kB", flush=True)
    print(f"{total / 1e6:.1f} MB")


def _layers(
    traces: Traces, views: list[str], kinds: list[str]
) -> Iterator[tuple[str, encode.Picture]]:
    for view in views:
        for shape in SHAPES:
            if "stone" in kinds:
                for family in FAMILIES:
                    yield f"{view}/stone-{shape}-{family}", _stone(traces, view, shape, family)
            if "band" in kinds:
                for band in BANDS:
                    layer = traces.band(view, shape, band)
                    yield (
                        f"{view}/band-{band}-{shape}",
                        encode.strip(layer["light"], layer["cover"]),
                    )
            if "ground" in kinds:
                yield from _grounds(traces, view, shape)


def _stone(traces: Traces, view: str, shape: str, family: str) -> encode.Picture:
    layer = traces.stone(view, shape, family)
    light = layer["light"]
    on_shank = (layer["cover"] == 0)[..., None, None]
    light = light * (1 - on_shank * (1 - traces.glow_window(view, shape)[..., None, None]))
    if family == "diamond":
        light = light[:, :, 3]  # clear: the node of full transmittance is the stone itself
    return encode.strip(light, layer["cover"])


def _grounds(traces: Traces, view: str, shape: str) -> Iterator[tuple[str, encode.Picture]]:
    ratio = traces.ground(view, shape)
    stone = traces.stone(view, shape, "diamond")["cover"]
    for band in BANDS:
        left = (1.0 - stone - traces.band(view, shape, band)["cover"]).clip(0.0, 1.0)
        for background in BACKGROUNDS:
            light, cover = backdrop.graded(ratio, background)
            yield (
                f"{view}/ground-{background}-{band}-{shape}",
                encode.strip(light * left[..., None], cover * left),
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compositions.studio", description=__doc__)
    parser.add_argument("--quality", choices=QUALITIES, default="final")
    parser.add_argument("--view", nargs="+", choices=VIEWS, default=list(VIEWS))
    kinds = ("stone", "band", "ground")
    parser.add_argument("--only", nargs="+", choices=kinds, default=list(kinds))
    parser.add_argument("--work", type=Path, default=Path("build/studio"), help="kept traces")
    parser.add_argument("--output", type=Path, default=_RING, help="composition folder")
    return parser


if __name__ == "__main__":
    main()

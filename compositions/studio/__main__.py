"""`python -m compositions.studio`: trace, write and check the art of the solitaire ring."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from compositions.studio import backdrop, boxes, encode, looks, truth_set
from compositions.studio.layers import BAND_FAMILY, Picture, Traces
from compositions.studio.scene import BANDS, SHAPES
from compositions.studio.stones import FAMILIES
from compositions.studio.views import VIEWS
from compositions.studio.work import QUALITIES

_ROOT = Path(__file__).parents[2]
_RING = _ROOT / "compositions" / "solitaire-ring"
_TRUTH = _ROOT / "tests" / "truth"
_TASKS = ("layers", "truth", "compare", "looks")
_KINDS = ("stone", "band", "ground")
BACKGROUNDS = ("studio", "white", "transparent")


def main() -> None:
    """Do the task asked for; traces that are already in the work folder are used again."""
    options = _parser().parse_args()
    traces = Traces(folder=options.work, quality=QUALITIES[options.quality])
    if options.task == "layers":
        _write_layers(traces, options)
    elif options.task == "truth":
        truth_set.write(traces, _TRUTH)
    elif options.task == "compare":
        print(*truth_set.compare(options.output, _TRUTH), sep="\n")
    else:
        looks.write(options.output, options.work / "looks")


def _write_layers(traces: Traces, options: argparse.Namespace) -> None:
    total = 0
    for name, whole in _layers(traces, options):
        canvas_px = whole.shape[1]
        box = boxes.box_of(_RING, name, canvas_px)
        codes = boxes.cut(whole, canvas_px, box)
        size = encode.write_avif(options.output / f"{name}.avif", codes, _avif_quality(name))
        total += size
        print(f"{name}: {size / 1e3:.0f} kB", flush=True)
    print(f"{total / 1e6:.1f} MB")


def _avif_quality(name: str) -> int:
    """Return the quality of a layer file; README.md has the measurements."""
    if "ground" in name:
        return encode.SMOOTH_QUALITY
    pages_carry_gems = "stone" in name and "diamond" not in name
    return encode.GEM_QUALITY if pages_carry_gems else encode.METAL_QUALITY


def _layers(traces: Traces, options: argparse.Namespace) -> Iterator[tuple[str, Picture]]:
    makers = {"stone": _stones, "band": _bands, "ground": _grounds}
    for view in options.view:
        for kind in options.only:
            for shape in SHAPES:
                yield from makers[kind](traces, view, shape)


def _stones(traces: Traces, view: str, shape: str) -> Iterator[tuple[str, Picture]]:
    for family in FAMILIES:
        layer = traces.stone(view, shape, family)
        light = layer["light"]
        far = (1.0 - traces.glow_window(view, shape)) * (layer["cover"] == 0)
        light = light * (1.0 - far[..., None, None])
        if family == "diamond":
            light = light[:, :, 3]  # clear: the node of full transmittance is the stone itself
        yield f"{view}/stone-{shape}-{family}", encode.strip(light, layer["cover"])


def _bands(traces: Traces, view: str, shape: str) -> Iterator[tuple[str, Picture]]:
    for band in BANDS:
        layer = traces.band(view, shape, band)
        yield f"{view}/band-{band}-{shape}", encode.strip(layer["light"], layer["cover"])


def _grounds(traces: Traces, view: str, shape: str) -> Iterator[tuple[str, Picture]]:
    ratio = traces.ground(view, shape)
    stone = traces.stone(view, shape, BAND_FAMILY)["cover"]
    for band in BANDS:
        left = (1.0 - stone - traces.band(view, shape, band)["cover"]).clip(0.0, 1.0)
        for background in BACKGROUNDS:
            light, cover = backdrop.graded(ratio, background)
            codes = encode.strip(light * left[..., None], cover * left)
            yield f"{view}/ground-{background}-{band}-{shape}", codes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compositions.studio", description=__doc__)
    parser.add_argument("task", nargs="?", choices=_TASKS, default="layers")
    parser.add_argument("--quality", choices=QUALITIES, default="final")
    parser.add_argument("--view", nargs="+", choices=VIEWS, default=list(VIEWS))
    parser.add_argument("--only", nargs="+", choices=_KINDS, default=list(_KINDS))
    parser.add_argument("--work", type=Path, default=Path("build/studio"), help="kept traces")
    parser.add_argument("--output", type=Path, default=_RING, help="the composition's folder")
    return parser


if __name__ == "__main__":
    main()

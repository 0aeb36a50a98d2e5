"""Which pieces of the ring are held against direct renders, and how the truth is stored.

A truth file is a 16-bit RGB PNG of scene light, companded as `root` at full scale 65535, and its
mask an 8-bit PNG: 255 where the error counts. `truth.json` beside them says which configuration and
which part of which canvas each one is.
"""

import json
from pathlib import Path

import numpy as np
import pyvips
from tqdm import tqdm

from compositions.studio import encode, paint, truth
from compositions.studio.layers import Picture, Traces
from compositions.studio.paint import Choice
from compositions.studio.truth import Crop, Direct, Subject

_SHANK = Crop(left=1060, top=560, width=120, height=150)
_CLAWS = Crop(left=590, top=170, width=130, height=150)
_ROUND = Crop(left=690, top=150, width=220, height=160)
_OVAL = Crop(left=650, top=170, width=260, height=170)
_EMERALD = Crop(left=640, top=170, width=280, height=150)
_TOP_STONE = Crop(left=520, top=445, width=160, height=160)
_TOP_SHANK = Crop(left=270, top=488, width=112, height=112)

SUBJECTS = (
    Subject("hero", "metal", _SHANK, Choice(metal="yellow-gold-18k")),
    Subject("hero", "metal", _SHANK, Choice(metal="white-gold-18k")),
    Subject("hero", "metal", _SHANK, Choice(metal="rose-gold-18k")),
    Subject("hero", "metal", _SHANK, Choice(metal="platinum-950")),
    Subject("hero", "metal", _SHANK, Choice(metal="sterling-silver")),
    Subject("hero", "metal", _SHANK, Choice(metal="black-rhodium")),
    Subject("hero", "metal", _CLAWS, Choice(metal="yellow-gold-18k")),
    Subject("top", "metal", _TOP_SHANK, Choice(metal="platinum-950", shape="oval")),
    Subject("hero", "gem", _ROUND, Choice(gem="diamond")),
    Subject("hero", "gem", _ROUND, Choice(gem="ruby")),
    Subject("hero", "gem", _OVAL, Choice(gem="blue-sapphire", metal="platinum-950", shape="oval")),
    Subject("hero", "gem", _EMERALD, Choice(gem="emerald", shape="emerald-cut")),
    Subject("hero", "gem", _ROUND, Choice(gem="amethyst", metal="rose-gold-18k")),
    Subject("top", "gem", _TOP_STONE, Choice(gem="ruby", shape="oval")),
    Subject(
        "top",
        "gem",
        _TOP_STONE,
        Choice(gem="aquamarine", metal="platinum-950", shape="emerald-cut"),
    ),
    # The ruby's glow on the claws, the collar and the shank, with ground on both sides.
    Subject(
        "hero", "undivided", Crop(left=880, top=330, width=170, height=130), Choice(gem="ruby")
    ),
    Subject(
        "hero",
        "undivided",
        Crop(left=1150, top=640, width=120, height=120),
        Choice(gem="blue-sapphire", metal="platinum-950", shape="oval", band="pave"),
    ),
    # Where the ring touches the ground.
    Subject(
        "hero",
        "undivided",
        Crop(left=870, top=1285, width=150, height=110),
        Choice(metal="rose-gold-18k"),
    ),
    Subject(
        "top",
        "undivided",
        Crop(left=720, top=540, width=112, height=98),
        Choice(gem="emerald", metal="white-gold-18k", shape="emerald-cut"),
    ),
)


def write(traces: Traces, folder: Path) -> None:
    """Render every subject that is not there yet, and list them all in `truth.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for subject in tqdm(SUBJECTS, desc="truth", unit="crop"):
        entry = subject.entry()
        if not (folder / str(entry["file"])).exists():
            _write_one(subject, traces, folder, entry)
        entries.append(entry)
    (folder / "truth.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")


def _write_one(subject: Subject, traces: Traces, folder: Path, entry: dict[str, object]) -> None:
    direct = truth.render(subject, traces.shade(), traces.quality)
    if "mask" in entry:
        mask = np.where(_counts(subject, direct), 255, 0).astype(np.uint8)
        pyvips.Image.new_from_array(mask).pngsave(str(folder / str(entry["mask"])))
    codes = np.rint(encode.root_codes(direct.light) * 65535).astype(np.uint16)
    picture = pyvips.Image.new_from_array(codes).copy(interpretation="rgb16")
    picture.pngsave(str(folder / str(entry["file"])), compression=9, keep="none")


def _counts(subject: Subject, direct: Direct) -> Picture:
    """Return where the error counts: inside the metal, or inside the stone."""
    inside: Picture
    if subject.kind == "metal":
        inside = (direct.ring == 1.0) & (direct.stone == 0.0)
    else:
        inside = direct.stone == 1.0
    return inside


def compare(traces_folder: Path, folder: Path) -> list[str]:
    """Return one line per truth: mean and 99.5th percentile of the error in display levels.

    Args:
        traces_folder: The composition's folder, with its layer files.
        folder: Where the truth is.
    """
    lines = []
    for entry in json.loads((folder / "truth.json").read_text("utf-8")):
        subject = Subject.of(entry)
        canvas = paint.compose(traces_folder, subject.view, subject.choice)
        painted = paint.displayed(subject.crop.of(canvas)[..., :3])
        stored = pyvips.Image.new_from_file(str(folder / entry["file"])).numpy() / 65535
        error = np.abs(np.rint(painted) - np.rint(paint.displayed(4.0 * stored**2)))
        if entry.get("mask"):
            mask = pyvips.Image.new_from_file(str(folder / entry["mask"])).numpy()
            error = error[mask.reshape(error.shape[:2]) > 127]
        lines.append(f"{subject.title():70} {error.mean():5.2f} {np.percentile(error, 99.5):6.1f}")
    return lines

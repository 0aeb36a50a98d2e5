"""From layers to files: companding, pages, backgrounds.

A layer file is an RGBA strip. R, G and B are the three metal nodes of one gem node, premultiplied
linear light, companded as `root`: value = 4 · (code / full scale)². Square root spends codes
where the eye does, and 4.0 leaves headroom above display white. Alpha is linear coverage. Four gem
nodes are four canvases under one another.
"""

from pathlib import Path

import numpy as np
import pyvips

from compositions.studio import boxes
from compositions.studio.layers import Picture

ROOT_PEAK = 4.0
# libaom qualities, measured against the traces in README.md. Painting a dark metal multiplies a
# file's errors by up to four, hence so near to lossless.
METAL_QUALITY, GEM_QUALITY, SMOOTH_QUALITY = 100, 99, 98


def root_codes(light: Picture) -> Picture:
    """Return companded values in 0..1."""
    return np.sqrt(np.clip(light, 0.0, ROOT_PEAK) / ROOT_PEAK)


def strip(light: Picture, cover: Picture) -> Picture:
    """Return pages under one another, [pages * c, c, 4] in 0..1.

    Args:
        light: Bands, [c, c, 3] or [c, c, pages, 3].
        cover: Coverage, [c, c].
    """
    if light.ndim == 3:
        light = light[:, :, None, :]
    pages = [
        np.concatenate([root_codes(light[:, :, k]), cover[..., None]], axis=-1)
        for k in range(light.shape[2])
    ]
    return np.concatenate(pages, axis=0)


def write_avif(path: Path, codes: Picture, quality: int) -> int:
    """Write a strip as a 12-bit 4:4:4 AVIF and return its size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.rint(np.clip(codes, 0.0, 1.0) * 4095).astype(np.uint16) << 4
    picture = pyvips.Image.new_from_array(whole).copy(interpretation="rgb16")
    picture.heifsave(
        str(path),
        compression="av1",
        bitdepth=12,
        Q=quality,
        subsample_mode="off",
        effort=2,
        keep="none",
    )
    return path.stat().st_size


def read_codes(path: Path) -> Picture:
    """Return a layer file's values in 0..1, whatever its bit depth."""
    picture = pyvips.Image.new_from_file(str(path))
    bits = picture.get("bits-per-sample") if "bits-per-sample" in picture.get_fields() else 16
    # High-depth AVIF comes shifted up to 16 bits: its full scale is below 65535.
    full = ((1 << bits) - 1) << (16 - bits) if picture.format == "ushort" else 255
    return np.asarray(picture.numpy(), dtype=np.float32) / full


def read_layer(path: Path, canvas_px: int) -> tuple[Picture, Picture]:
    """Return a layer's bands [c, c, pages, 3] and coverage [c, c]."""
    folder, name = path.parents[1], f"{path.parent.name}/{path.stem}"
    box = boxes.box_of(folder, name, canvas_px)
    pages = boxes.lay(read_codes(path).reshape(-1, box[3], box[2], 4), canvas_px, box)
    light = ROOT_PEAK * pages[..., :3] ** 2
    return np.moveaxis(light, 0, 2), pages[0, ..., 3]

"""A small catalogue with real files: the ring of `builders`, some hundred pixels wide."""

from pathlib import Path

import numpy as np
import pyvips

from tests.builders import MATERIALS, RING

SMALL_RING = (
    RING.replace("width_px = 1600\nheight_px = 1200", "width_px = 320\nheight_px = 240")
    .replace("width_px = 800\nheight_px = 800", "width_px = 160\nheight_px = 160")
    .replace("[520, 180, 560, 500]", "[80, 40, 160, 120]")
)
HERO, SIDE = (240, 320), (160, 160)
ROOT_ONE = 32768
"""Root-encoded 1.0 in 16 bits: 4·(x/65535)² is 1.0 at half of full scale."""


def write_catalogue(folder: Path, *, ring: str = SMALL_RING, materials: str = MATERIALS) -> Path:
    """Write the catalogue into `folder` and return it."""
    (folder / "ring" / "hero").mkdir(parents=True)
    (folder / "ring" / "side").mkdir()
    (folder / "materials.toml").write_text(materials)
    (folder / "ring" / "composition.toml").write_text(ring)
    hero = folder / "ring" / "hero"
    hole = _disc(HERO, 60) | _disc(HERO, 30)
    for name, grey in (("studio", 200), ("white", 255)):
        write_picture(hero / f"ground-{name}.png", _ground(HERO, grey, hole))
    write_picture(hero / "band.tif", _light(HERO, _disc(HERO, 60) & ~_disc(HERO, 30), 1))
    for shape, radius in (("round", 30), ("oval", 24)):
        disc = _disc(HERO, radius) if shape == "round" else _disc(HERO, 30)
        write_picture(hero / f"stone-{shape}-diamond.tif", _light(HERO, disc, 1, radius))
        write_picture(hero / f"stone-{shape}-corundum.tif", _light(HERO, disc, 4, radius))
        write_picture(hero / f"stone-{shape}-beryl.tif", _light(HERO, disc, 4, radius + 1))
    write_picture(folder / "ring" / "side" / "band.tif", _light(SIDE, _disc(SIDE, 300), 1))
    return folder


def write_picture(file: Path, pixels: np.ndarray) -> None:
    """Write [height, width, bands] as PNG or TIFF, by the file's name."""
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    image.write_to_file(str(file))


def _disc(size: tuple[int, int], radius: int) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows - size[0] / 2) ** 2 + (columns - size[1] / 2) ** 2 < radius**2


def _ground(size: tuple[int, int], grey: int, hole: np.ndarray) -> np.ndarray:
    """Grey with straight alpha, cut out where the ring is."""
    pixels = np.full((*size, 4), grey, np.uint8)
    pixels[..., 3] = np.where(hole, 0, 255)
    return pixels


def _light(size: tuple[int, int], where: np.ndarray, pages: int, seed: int = 0) -> np.ndarray:
    """Root-encoded false-colour light: brighter towards the higher nodes, some texture."""
    texture = np.random.default_rng(seed).uniform(0.8, 1.2, size)
    strips = []
    for page in range(pages):
        light = np.stack([texture * (0.3 + 0.2 * page) * node for node in (0.3, 0.65, 1.0)], -1)
        encoded = np.rint(65535 * np.sqrt(light / 4))
        alpha = np.full((*size, 1), 65535.0)
        strips.append(np.where(where[..., None], np.concatenate([encoded, alpha], -1), 0))
    return np.concatenate(strips).astype(np.uint16)


def change_side(folder: Path) -> None:
    """Give the side view another layer file."""
    write_picture(folder / "ring" / "side" / "band.tif", _light(SIDE, _disc(SIDE, 300), 1, 7))

"""Publishing for tests: the command line in processes of its own, on catalogues that change."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyvips

from tests.http.catalogue import write_catalogue

TOP = '[[views.top.layers]]\nasset = "top.png"'

PROGRAM = "import sys; from render_service.cli import main; sys.exit(main(sys.argv[1:]))"
OTHER_PIPELINE = "import render_service.planning.key as key; key.PIPELINE_REVISION = 0\n" + PROGRAM
"""The same program as it was before its pixels changed."""


def environment(**settings):
    kept = {name: value for name, value in os.environ.items() if "RENDER_" not in name}
    return kept | {f"RENDER_{name.upper()}": str(value) for name, value in settings.items()}


def command(*words, program=PROGRAM, **settings):
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def publish(*words, program=PROGRAM, **settings):
    """Publish, which must succeed; return what was printed."""
    done = command("publish", *words, program=program, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_sound(folder: Path) -> Path:
    """The catalogue of `tests/http` with a ground in every view, so that it passes its check."""
    write_catalogue(folder)
    ground = (pyvips.Image.black(200, 200, bands=3) + 255).cast("uchar")
    ground.copy(interpretation="srgb").pngsave(str(folder / "ring" / "ground-top.png"))
    layer = '[[views.top.layers]]\nasset = "ground-top.png"\n\n'
    change(folder / "ring" / "composition.toml", TOP, layer + TOP)
    return folder


def write_silver(folder: Path) -> Path:
    """The sound catalogue, its silver a little darker: another version of every view."""
    write_sound(folder)
    return change(folder / "materials.toml", "value = [1.0, 1.0, 1.0]", "value = [0.9, 0.9, 0.9]")


ENCODING = """
schema = 1

[measured]
date = "2026-11-23"
metric = "test"
encoders = "test"
seed = 1
samples = 1
views = {}

[[tables]]
view = "hero"
format = "webp"
size = "thumbnail"
target = 82
widths = { 160 = 60.0, 240 = 60.0, 320 = 60.0 }
offsets.metal = { gold = -5.0 }
"""


def write_calibrated(folder: Path) -> Path:
    """The sound catalogue with qualities for the hero's WebP, lower than the fixed one."""
    write_sound(folder)
    (folder / "ring" / "encoding.toml").write_text(ENCODING)
    return folder


def write_without(folder: Path, view: str = "top") -> Path:
    """The catalogue without one of its views."""
    write_sound(folder)
    definition = folder / "ring" / "composition.toml"
    text = definition.read_text()
    definition.write_text(text[: text.index(f"[views.{view}]")])
    return folder


def write_broken(folder: Path) -> Path:
    """The catalogue with a layer file cut short, and an unknown default."""
    write_sound(folder)
    stone = folder / "ring" / "stone-ruby.png"
    stone.write_bytes(stone.read_bytes()[:100])
    shutil.copytree(folder / "ring", folder / "brooch")
    change(folder / "brooch" / "composition.toml", 'default = "gold"', 'default = "brass"')
    return folder


def change(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file.parent


def digest_of(folder: Path) -> dict[str, str]:
    """Every file below `folder`, by name, with its digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

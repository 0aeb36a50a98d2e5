"""The page for retouchers: each definition on it is a product that passes its check."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from render_service.adapters.catalogue_folder import FolderAssets, load_catalogue
from render_service.composition.model import Encoding
from render_service.formats import Format
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits
from render_service.pixels.offline import render_canvas
from render_service.planning.planner import Planner
from render_service.planning.request import RenderRequest
from render_service.rendering.check import Check
from tests.catalogues import write_picture

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "compositions.md").read_text()
SIZE = (600, 800)


def definitions():
    """File → what the page writes into it, in the order of the page."""
    found = {}
    for block in re.findall(r"^ *```toml\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE):
        name = block.split("\n")[0].strip().removeprefix("# compositions/")
        found[name] = found.get(name, "") + block
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo catalogue's materials and the products of the page, with pictures made up."""
    folder = tmp_path_factory.mktemp("compositions")
    for name, text in definitions().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    demo = (ROOT / "compositions" / "materials.toml").read_text()
    (folder / "materials.toml").write_text(demo + definitions()["materials.toml"])
    for name in ("pendant/front", "band/hero"):
        (folder / name).mkdir()
    front, hero = folder / "pendant" / "front", folder / "band" / "hero"
    write_picture(front / "ground-grey.jpg", np.full((*SIZE, 3), 255, np.uint8))
    write_picture(front / "shadow.png", cut_out(slice(400, 500), 128))
    write_picture(front / "pendant.png", cut_out(slice(100, 400), 180))
    write_picture(front / "enamel.png", cut_out(slice(150, 250), 160))
    write_picture(front / "stone-onyx.png", np.full((120, 120), 20, np.uint8))
    write_picture(front / "stone-pearl.png", np.full((120, 120), 230, np.uint8))
    write_picture(hero / "ground.png", light(SIZE, 0))
    write_picture(hero / "band.png", light(SIZE, 20_000, rows=slice(200, 400)))
    pages = [light(SIZE, 9_000 * page, rows=slice(0, 200)) for page in (1, 2, 3, 4)]
    write_picture(hero / "stone-corundum.png", np.concatenate(pages))
    return folder


def cut_out(rows, grey):
    pixels = np.full((*SIZE, 4), grey, np.uint8)
    pixels[..., 3] = 0
    pixels[rows, :, 3] = 255
    return pixels


def light(size, grey, rows=slice(None)):
    pixels = np.zeros((*size, 4), np.uint16)
    pixels[rows] = (grey, grey * 1.4, grey * 1.6, 65535)
    return pixels


def planner(folder):
    found = load_catalogue(folder)
    return Planner(found.catalogue, PROFILES), FolderAssets(found.files, 64 * 1024**2).read_now


def test_the_page_defines_two_products_and_their_materials():
    assert sorted(definitions()) == [
        "band/composition.toml",
        "materials.toml",
        "pendant/composition.toml",
    ]
    assert all(tomllib.loads(text) for text in definitions().values())


def test_the_products_of_the_page_pass_their_check(folder):
    plans, read = planner(folder)

    assert Check(plans, read, Limits()).run(lambda _: None) == []


@pytest.mark.parametrize(("tone", "expected"), [("neutral", 255), ("studio", 233)])
def test_a_tone_does_to_a_white_photograph_what_the_page_says(folder, tone, expected):
    file = folder / "pendant" / "composition.toml"
    file.write_text(re.sub(r'(?m)^tone = "\w+"', f'tone = "{tone}"', file.read_text()))
    plans, read = planner(folder)
    request = RenderRequest(
        composition="pendant", view="front", region=None, selection=(), width_px=800,
        format=Format.PNG,
    )  # fmt: skip

    canvas = render_canvas(plans.plan(request).plan, read, Limits())

    assert canvas[0, 0, :3].tolist() == [expected] * 3


@pytest.mark.parametrize("schema", ["composition", "materials"])
def test_the_editor_schemas_spell_tuples_as_the_editors_know_them(schema):
    text = (ROOT / "docs" / "schemas" / f"{schema}.schema.json").read_text()

    assert '"additionalItems": false' in text
    assert "prefixItems" not in text


@pytest.mark.parametrize("encoding", list(Encoding))
def test_the_page_names_every_encoding(encoding):
    assert f"`{encoding}`" in PAGE

"""What `check` finds in a catalogue folder: everything that is wrong, once, and nothing else."""

import shutil

import pytest

from render_service.adapters.catalogue_folder import FolderAssets, load_catalogue, read_catalogue
from render_service.errors import AssetMissing, AssetTooLarge, InvalidCatalogue
from render_service.pixels.encode import PROFILES
from render_service.pixels.limits import Limits
from render_service.planning.planner import Planner
from render_service.rendering.check import Check
from tests.builders import MATERIALS
from tests.catalogues import SMALL_RING, write_catalogue

MIB = 1024**2


def check(folder):
    """Every fault of the catalogue in `folder`, as a person reads them."""
    found = read_catalogue(folder)
    read = FolderAssets(found.files, 64 * MIB).read_now
    drawn = Check(Planner(found.catalogue, PROFILES), read, Limits()).run(lambda _: None)
    return [str(fault) for fault in (*found.faults, *drawn)]


@pytest.fixture
def folder(tmp_path):
    return write_catalogue(tmp_path / "catalogue")


def test_each_of_two_damaged_layer_files_of_one_picture_is_reported_once_with_its_table(folder):
    for name in ("band.tif", "stone-round-diamond.tif"):
        file = folder / "ring" / "hero" / name
        file.write_bytes(file.read_bytes()[:1000])

    found = check(folder)

    assert len(found) == 2
    assert "[views.hero.layers[1]] asset: hero/band.tif" in found[0]
    assert "[views.hero.layers[2]] asset: hero/stone-round-diamond.tif" in found[1]


def test_damaged_files_of_equal_content_are_reported_each_by_its_name(folder):
    for name in ("band.tif", "stone-oval-beryl.tif", "stone-round-beryl.tif"):
        (folder / "ring" / "hero" / name).write_bytes(b"")

    found = check(folder)

    # Oval emeralds are not made, so no picture needs the oval beryl: it is not even looked at.
    assert [fault.split("asset: ")[1].split(" ")[0] for fault in found] == [
        "hero/band.tif",
        "hero/stone-round-beryl.tif",
    ]


def test_a_definition_fault_does_not_hide_a_damaged_file_of_another_composition(folder):
    shutil.copytree(folder / "ring", folder / "band")
    (folder / "band" / "composition.toml").write_text(SMALL_RING.replace('"gold"', '"brass"'))
    (folder / "ring" / "side" / "band.tif").write_bytes(b"GIF89a")

    found = check(folder)

    assert len(found) == 2
    assert "band/composition.toml: [options.metal] default: 'brass'" in found[0]
    assert "ring/composition.toml: [views.side.layers[0]] asset: side/band.tif" in found[1]


@pytest.mark.parametrize(
    ("materials", "expected"),
    [
        (MATERIALS.replace("[0.80, 0.05, 0.10]", "[80, 5, 1]"), "[materials.gem.ruby] value"),
        (MATERIALS.replace('"transmittance"', '"absorbance"'), "[bases.gem] law: 'absorbance'"),
        ("schema =", "this is not TOML"),
    ],
)
def test_a_fault_of_the_materials_hides_none_of_a_composition_and_invents_none(
    tmp_path, materials, expected
):
    ring = SMALL_RING.replace("{background}", "{backdrop}")
    folder = write_catalogue(tmp_path / "catalogue", ring=ring, materials=materials)

    found = check(folder)

    assert len(found) == 2
    assert f"materials.toml: {expected}" in found[0]
    assert "[views.hero.layers[0]] asset: 'backdrop' is not an option" in found[1]


def test_a_folder_whose_composition_file_is_misspelt_is_a_fault(folder):
    shutil.copytree(folder / "ring", folder / "band")
    (folder / "band" / "composition.toml").rename(folder / "band" / "compositon.toml")

    found = check(folder)

    assert len(found) == 1
    assert found[0].startswith("band/composition.toml: cannot be read (No such file")
    assert "the folder holds compositon.toml" in found[0]


def test_a_folder_of_pictures_without_a_composition_is_a_fault(folder):
    shutil.copytree(folder / "ring" / "hero", folder / "band" / "hero")

    assert "the folder holds hero/band.tif" in check(folder)[0]


def test_folders_that_hold_neither_definitions_nor_pictures_are_no_fault(folder):
    (folder / "studio").mkdir()
    (folder / "studio" / "render.py").write_text("")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "thumbnail.png").write_bytes(b"")

    assert check(folder) == []


def test_loading_a_catalogue_refuses_it_with_every_fault_that_reading_finds(folder):
    (folder / "ring" / "composition.toml").write_text("schema = 1\n")

    with pytest.raises(InvalidCatalogue) as refused:
        load_catalogue(folder)

    assert refused.value.faults == read_catalogue(folder).faults


@pytest.mark.parametrize(
    ("harm", "kind", "expected"),
    [
        (lambda file: file.unlink(), AssetMissing, "cannot be read (No such file or directory)"),
        (lambda file: file.write_bytes(b"x"), AssetMissing, "has changed since the catalogue was"),
        (lambda file: file.write_bytes(bytes(2 * MIB)), AssetTooLarge, "has 2097152 bytes"),
    ],
)
def test_a_layer_file_is_called_by_its_name_and_no_path_of_the_server(folder, harm, kind, expected):
    found = load_catalogue(folder)
    harm(folder / "ring" / "side" / "band.tif")

    with pytest.raises(kind) as refused:
        FolderAssets(found.files, MIB).read_now(found.catalogue.digest("ring", "side/band.tif"))

    assert str(refused.value).startswith(f"The layer file ring/side/band.tif {expected}")
    assert str(folder) not in str(refused.value)

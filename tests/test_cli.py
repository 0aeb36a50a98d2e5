"""The commands, run as a person runs them."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pyvips

from tests.catalogues import SMALL_RING, write_catalogue, write_picture

OVAL_RUBY = ("ring", "hero", "shape=oval", "gem=ruby", "metal=silver")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("catalogue"))


def run(*arguments, catalogue=None, **environment):
    """Run the command line in a process of its own."""
    if catalogue is not None:
        environment["RENDER_CATALOGUE"] = str(catalogue)
    return subprocess.run(
        [sys.executable, "-m", "render_service", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_a_sound_catalogue_passes_its_check(folder):
    done = run("check", folder)

    assert done.returncode == 0, done.stderr.decode()
    assert b"1 composition, 2 views, 75 configurations of views; no faults" in done.stdout


def test_a_broken_file_fails_the_check_with_its_name_and_the_next_catalogue_is_not_tried(
    folder, tmp_path
):
    broken = write_catalogue(tmp_path / "broken")
    stone = broken / "ring" / "hero" / "stone-oval-corundum.tif"
    stone.write_bytes(stone.read_bytes()[:1000])
    (broken / "ring" / "side" / "band.tif").write_bytes(b"GIF89a")

    done = run("check", broken, folder)

    text = done.stderr.decode()
    assert done.returncode == 1
    assert "[views.hero.layers[3]] asset: hero/stone-oval-corundum.tif" in text
    assert "[views.side.layers[0]] asset: side/band.tif" in text
    assert "2 faults" in text
    assert "no faults" not in done.stdout.decode()


def test_a_layer_of_another_size_than_its_view_fails_the_check(tmp_path):
    broken = write_catalogue(
        tmp_path / "broken", ring=SMALL_RING.replace("height_px = 240", "height_px = 241")
    )

    done = run("check", broken)

    assert done.returncode == 1
    assert b"hero/band.tif" in done.stderr
    assert b"241" in done.stderr


def test_an_option_that_changes_no_pixel_fails_the_check(tmp_path):
    idle = '[options.engraving]\nvalues = ["none", "heart"]\ndefault = "none"\n\n[[forbid]]'
    broken = write_catalogue(tmp_path / "broken", ring=SMALL_RING.replace("[[forbid]]", idle))

    done = run("check", broken)

    assert done.returncode == 1
    assert b"[options.engraving]: no view changes by any value of it" in done.stderr


def test_an_opaque_picture_with_a_hole_fails_the_check(tmp_path):
    bare = SMALL_RING.replace(
        'when = { background = ["studio", "white"] }', 'when = { background = "white" }'
    )
    broken = write_catalogue(
        tmp_path / "broken", ring=bare.replace("ground-{background}", "ground-white")
    )

    done = run("check", broken)

    assert done.returncode == 1
    assert b"is covered by no layer and would be black" in done.stderr


def test_all_faults_of_all_definitions_are_listed(tmp_path):
    broken = write_catalogue(tmp_path / "broken")
    (broken / "brooch").mkdir()
    (broken / "brooch" / "composition.toml").write_text("schema = 2\n")
    (broken / "ring" / "composition.toml").write_text(SMALL_RING.replace('"gold"', '"brass"'))

    done = run("check", broken)

    text = done.stderr.decode()
    assert done.returncode == 1
    assert "brooch/composition.toml: schema" in text
    assert "brooch/composition.toml: views: there is no view" in text
    assert "[options.metal] default: 'brass'" in text


def test_an_empty_folder_is_not_a_catalogue(tmp_path):
    done = run("check", tmp_path)

    assert done.returncode == 1
    assert b"materials.toml: cannot be read" in done.stderr


@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png"])
def test_a_picture_is_written_in_the_format_of_its_name(folder, tmp_path, extension):
    file = tmp_path / f"ring.{extension}"

    done = run("render", *OVAL_RUBY, "--width", 320, "-o", file, catalogue=folder)

    assert done.returncode == 0, done.stderr.decode()
    image = pyvips.Image.new_from_file(str(file))
    assert (image.width, image.height, image.bands) == (320, 240, 3)
    assert oct(file.stat().st_mode)[-3:] == "644"


def test_a_saved_plan_draws_the_identical_file(folder, tmp_path):
    first, again, plan = tmp_path / "a.webp", tmp_path / "b.webp", tmp_path / "plan.json"

    run("render", *OVAL_RUBY, "--width", 240, "-o", first, "--save-plan", plan, catalogue=folder)
    done = run("render", "--plan", plan, "-o", again, catalogue=folder)

    assert done.returncode == 0, done.stderr.decode()
    assert first.read_bytes() == again.read_bytes()
    assert json.loads(plan.read_text())["output"]["width_px"] == 240


def test_standard_output_takes_the_picture(folder):
    done = run("render", *OVAL_RUBY, "--width", 160, "--format", "png", "-o", "-", catalogue=folder)

    assert done.stdout.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("ring", "hero", "gem=topaz", "-o", "a.webp"), b"no value 'topaz'; values: diamond, ruby"),
        (("ring", "hero", "gem", "-o", "a.webp"), b"'gem' is not OPTION=VALUE"),
        (("ring", "front", "-o", "a.webp"), b"views and regions: hero, hero:stone, side"),
        (("ring", "-o", "a.webp"), b"there are: ring hero, ring side"),
        (("ring", "hero", "--width", "333", "-o", "a.webp"), b"160, 240, 320"),
        (("ring", "hero", "-o", "a.gif"), b"extensions: avif, webp, jpg, png"),
        (("/r/ring/hero/0000000000/-/160.webp", "-o", "a.webp"), b"has no version '0000000000'"),
        (("-o", "a.webp"), b"or give --plan FILE"),
        (("--plan", "missing.json", "-o", "a.webp"), b"missing.json cannot be read"),
        (("ring", "hero", "--width", "160", "-o", "/nowhere/a.webp"), b"/nowhere/a.webp cannot be"),
        (("ring", "hero", "-o", "-"), b"Give --format"),
        (("ring", "hero", "--format", "avif", "-o", "a.webp"), b"What is drawn is avif, not webp"),
        (("/r/ring/hero/0000000000/-/160.webp", "more", "-o", "a.webp"), b"give nothing else"),
        (("--plan", "p.json", "--width", "160", "-o", "a.webp"), b"give nothing else"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(
    folder, tmp_path, arguments, expected
):
    done = subprocess.run(
        [sys.executable, "-m", "render_service", "render", *arguments],
        env={**os.environ, "RENDER_CATALOGUE": str(folder), "PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert expected in done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"pipeline": "x"}', '{"plan": 3}', "\x00"])
def test_a_file_that_is_no_plan_is_refused(folder, tmp_path, text):
    plan = tmp_path / "plan.json"
    plan.write_text(text)

    done = run("render", "--plan", plan, "-o", tmp_path / "a.webp", catalogue=folder)

    assert done.returncode == 1
    assert b"is not a plan" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_sheet_has_a_row_for_each_value_down_and_a_column_for_each_across(folder, tmp_path):
    file = tmp_path / "sheet.png"

    done = run(
        "sheet", "ring", "hero", "--down", "metal", "--across", "gem", "--width", 160, "-o", file,
        catalogue=folder,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr.decode()
    image = pyvips.Image.new_from_file(str(file))
    assert (image.width, image.height) == (4 * 164 - 4, 3 * 124 - 4)


def test_the_settings_are_listed_with_their_values():
    done = run("settings", RENDER_PORT="1234")

    assert b"RENDER_PORT" in done.stdout
    assert b"1234" in done.stdout


def test_a_wrong_setting_stops_any_command_with_its_name_and_range(folder):
    done = run("check", folder, RENDER_WORKERS="0", RENDER_COLOUR="gold")

    assert done.returncode == 1
    assert b"RENDER_WORKERS (processes) must be 1 to 64; given '0'." in done.stderr
    assert b"RENDER_COLOUR is not a setting" in done.stderr


def test_a_broken_catalogue_is_not_served(tmp_path):
    broken = write_catalogue(tmp_path / "broken")
    (broken / "ring" / "hero" / "band.tif").unlink()

    done = run("serve", catalogue=broken, RENDER_PORT="0", RENDER_DATA=str(tmp_path / "data"))

    assert done.returncode == 1
    assert b"hero/band.tif cannot be read (No such file or directory)" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_used_is_refused_once(folder, tmp_path):
    (tmp_path / "data").write_text("a file")

    done = run(
        "serve", catalogue=folder, RENDER_PORT="0", RENDER_WORKERS="2",
        RENDER_DATA=str(tmp_path / "data"),
    )  # fmt: skip

    assert done.returncode == 1
    assert b"render-service serve: The file tier: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_layer_file_that_changed_since_is_missing_not_wrong(folder, tmp_path):
    moved = write_catalogue(tmp_path / "moved")
    plan = tmp_path / "plan.json"
    run(
        "render",
        *OVAL_RUBY,
        "--width",
        160,
        "-o",
        tmp_path / "a.png",
        "--save-plan",
        plan,
        catalogue=moved,
    )
    write_picture(
        moved / "ring" / "hero" / "band.tif",
        pyvips.Image.black(320, 240, bands=4).cast("ushort").numpy(),
    )

    done = run("render", "--plan", plan, "-o", tmp_path / "b.png", catalogue=moved)

    assert done.returncode == 1
    assert b"is not in the catalogue" in done.stderr


def test_a_whole_url_may_be_drawn_instead_of_its_path(folder, tmp_path):
    refused = run(
        "render", "http://cdn.example/r/ring/side/0000000000/metal=gold/160.webp",
        "-o", tmp_path / "a.webp",
        catalogue=folder,
    )  # fmt: skip
    version = re.search(rb"current one is ([0-9a-f]{10})", refused.stderr)[1].decode()

    done = run(
        "render", f"http://cdn.example/r/ring/side/{version}/metal%3Dgold/160.webp?",
        "-o", tmp_path / "a.webp",
        catalogue=folder,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr.decode()


def test_a_pipe_is_written_through_and_stays_a_pipe(folder, tmp_path):
    pipe = tmp_path / "ring.png"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        run("render", "ring", "side", "-o", pipe, catalogue=folder)

    assert read.result().startswith(b"\x89PNG")
    assert pipe.is_fifo()


def test_a_link_is_followed_and_stays_a_link(folder, tmp_path):
    link, target = tmp_path / "link.png", tmp_path / "target.png"
    target.write_bytes(b"old")
    link.symlink_to(target)

    run("render", "ring", "side", "-o", link, catalogue=folder)

    assert link.is_symlink()
    assert target.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_written_leaves_nothing_behind(folder, tmp_path):
    (tmp_path / "taken.png").mkdir()

    done = run("render", "ring", "side", "-o", tmp_path / "taken.png", catalogue=folder)

    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def test_a_sheet_leaves_what_is_not_made_blank_and_says_why(folder, tmp_path):
    done = run(
        "sheet", "ring", "hero", "--down", "shape",
        "--across", "gem", "--width", 160, "-o", tmp_path / "s.png",
        catalogue=folder,
    )  # fmt: skip

    assert done.returncode == 0
    assert b"oval, emerald is left blank: This configuration is not made: We cut" in done.stderr


def test_a_sheet_of_one_option_against_itself_is_refused(folder, tmp_path):
    done = run(
        "sheet", "ring", "hero", "--down", "gem", "--across", "gem", "-o", tmp_path / "s.png",
        catalogue=folder,
    )  # fmt: skip

    assert b"name different options" in done.stderr

"""`calibrate` on a small made-up catalogue: real pictures, real encoders, the real metric."""

import json
import shutil
import signal
import subprocess
import sys
import tomllib

import pytest

from render_service.adapters.catalogue_folder import load_catalogue
from render_service.adapters.score_journal import ScoreJournal
from render_service.composition.qualities import CALIBRATED
from render_service.rendering.measuring import Scored
from tests.catalogues import change_side, write_catalogue
from tests.releases import command, environment
from tests.servers import wait_until

FEW = ("--samples", "4", "--held-out", "8", "--format", "webp")


def calibrate(folder, data, *words):
    return command("calibrate", folder, *words, data=data)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A catalogue that was calibrated, where its scores are, and what was printed."""
    folder = write_catalogue(tmp_path_factory.mktemp("catalogue") / "compositions")
    data = tmp_path_factory.mktemp("data")
    done = calibrate(folder, data, *FEW)
    assert done.returncode == 0, done.stderr
    return folder, data, done.stdout


@pytest.fixture
def copy(calibrated, tmp_path):
    """The calibrated catalogue, to be changed."""
    return shutil.copytree(calibrated[0], tmp_path / "compositions")


def document(folder):
    return tomllib.loads((folder / "ring" / "encoding.toml").read_text())


def scores(data):
    (journal,) = (data / "calibration").iterdir()
    return journal


def test_every_view_region_and_class_gets_a_table_of_all_its_widths(calibrated):
    tables = document(calibrated[0])["tables"]

    assert [(t["view"], t.get("region"), t["size"], list(t["widths"])) for t in tables] == [
        ("hero", None, "thumbnail", ["160", "240", "320"]),
        ("hero", "stone", "thumbnail", ["160"]),
        ("side", None, "thumbnail", ["160"]),
    ]
    assert {t["format"] for t in tables} == {"webp"}


def test_the_file_says_what_it_was_measured_on_and_how_well_it_does(calibrated):
    folder, _, said = calibrated
    measured = document(folder)["measured"]

    assert set(measured["views"]) == {"hero", "side"}
    assert measured["metric"].startswith("ssimulacra2 0.3")
    assert "libvips 8." in measured["encoders"]
    assert measured["samples"] == 3 * (4 + 2)
    assert measured["held_out"] == 8
    assert 0 <= measured["within_2"] <= 1
    assert "8 held out" in said
    assert "ring/encoding.toml" in said


def test_what_was_written_is_read_with_the_catalogue(calibrated):
    found = load_catalogue(calibrated[0])

    assert len(found.catalogue.composition("ring").qualities) == 3
    assert set(found.measured) == {"ring"}


def test_the_same_again_measures_nothing_and_writes_the_same(calibrated, copy):
    _, data, _ = calibrated
    before = scores(data).read_bytes()

    done = calibrate(copy, data, *FEW)

    assert done.returncode == 0, done.stderr
    assert scores(data).read_bytes() == before
    assert document(copy)["tables"] == document(calibrated[0])["tables"]


def test_stopped_and_run_again_it_comes_to_what_it_would_have(calibrated, tmp_path):
    folder = shutil.copytree(calibrated[0], tmp_path / "compositions")
    (folder / "ring" / "encoding.toml").unlink()
    words = ["-m", "render_service", "calibrate", str(folder), *FEW]
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, *words], env=environment(data=data), stderr=subprocess.DEVNULL
    )
    wait_until(lambda: (data / "calibration").exists() and len(_lines(data)) > 3, str)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert not (folder / "ring" / "encoding.toml").exists()
    measured = _lines(data)
    # As a stop in the middle of a write leaves it.
    scores(data).write_text("\n".join([*measured[:-1], measured[-1][:20]]))

    done = calibrate(folder, data, *FEW)

    assert done.returncode == 0, done.stderr
    assert document(folder)["tables"] == document(calibrated[0])["tables"]
    assert sorted(_keys(_lines(data))) == sorted(_keys(_lines(calibrated[1])))


def _lines(data):
    return scores(data).read_text().splitlines()


def _keys(lines):
    """The keys of the lines that are whole."""
    return [json.loads(line)[0] for line in lines if line.endswith("]")]


def test_a_budget_that_is_too_short_writes_nothing_and_says_how_to_go_on(calibrated, tmp_path):
    folder = write_catalogue(tmp_path / "compositions")

    done = calibrate(folder, tmp_path / "data", "--budget-s", "1", "--samples", "10000")

    assert done.returncode in (0, 1)
    if done.returncode == 1:
        assert "nothing was written" in done.stdout
        assert "the same command goes on from there" in done.stdout
        assert not (folder / "ring" / "encoding.toml").exists()


def test_a_sound_table_passes_the_check_without_a_word(calibrated):
    done = command("check", calibrated[0])

    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert "no faults" in done.stdout


def test_a_layer_file_that_changed_since_is_a_warning_of_the_check(copy):
    change_side(copy)

    done = command("check", copy)

    assert done.returncode == 0, done.stderr
    assert "ring/encoding.toml: [measured] views: warning: what side shows has changed" in (
        done.stderr
    )
    assert "render-service calibrate --composition ring" in done.stderr


def test_what_is_wrong_with_a_table_is_a_fault_of_the_check(copy):
    file = copy / "ring" / "encoding.toml"
    file.write_text(file.read_text().replace("offsets.metal", "offsets.mettle", 1))

    done = command("check", copy)

    assert done.returncode == 1
    assert (
        "ring/encoding.toml: [tables[0]] offsets.mettle: 'mettle' is not an option" in done.stderr
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--samples", "0"], "--samples is '0'; needed: a whole number from 1"),
        (["--samples", "ten"], "--samples is 'ten'"),
        (["--held-out=-1"], "--held-out is '-1'"),
        (["--seed", "1.5"], "--seed is '1.5'"),
        (["--budget-s", "0"], "--budget-s is '0'"),
        (["--target", "zoom"], "--target 'zoom' is not SIZE=SCORE; sizes: thumbnail, middle"),
        (["--target", "large=80"], "--target 'large=80' is not SIZE=SCORE"),
        (["--target", "zoom=100"], "--target zoom is '100'; needed: a whole number from 30 to 95"),
        (["--composition", "rings"], "rings"),
    ],
)
def test_an_argument_that_is_not_understood_is_refused_by_its_name(tmp_path, words, said):
    folder = write_catalogue(tmp_path / "compositions")

    done = calibrate(folder, tmp_path / "data", *words)

    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_format_without_a_quality_is_no_choice(tmp_path):
    done = command("calibrate", tmp_path, "--format", "png")

    assert done.returncode == 2
    assert all(str(file_format) in done.stderr for file_format in CALIBRATED)


def test_without_the_package_it_says_how_to_get_it(tmp_path):
    hidden = (
        "import sys; sys.modules['ssimulacra2'] = None; from render_service.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    done = command("calibrate", write_catalogue(tmp_path / "c"), program=hidden)

    assert done.returncode == 1
    assert "pip install 'render-service[calibrate]'" in done.stderr


def test_serving_imports_nothing_of_what_scores(tmp_path):
    asked = (
        "import sys; import render_service.http.server, render_service.cli; "
        "print([m for m in ('ssimulacra2', 'scipy') if m in sys.modules])"
    )
    done = command(program=asked)

    assert done.stdout.strip() == "[]", done.stderr


def test_a_journal_keeps_scores_and_measures_a_torn_one_again(tmp_path):
    file = tmp_path / "scores" / "a.jsonl"
    ScoreJournal(file).put("one", Scored(81.5, 1000))
    ScoreJournal(file).put("two", Scored(82.5, 2000))
    file.write_text(file.read_text() + '["three", 83.0')

    again = ScoreJournal(file)
    again.put("four", Scored(84.5, 3000))

    found = ScoreJournal(file)
    assert [found.get(key) for key in ("one", "two", "three", "four")] == [
        Scored(81.5, 1000),
        Scored(82.5, 2000),
        None,
        Scored(84.5, 3000),
    ]

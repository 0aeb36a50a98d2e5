import numpy as np
import pytest

from tests.golden.compare import FOLDER, canvas_of, difference, write
from tests.golden.scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
def test_a_canvas_is_exactly_its_golden(name):
    said = difference(canvas_of(SCENES[name]()), FOLDER / f"{name}.png")

    assert said is None, said


def test_every_golden_has_its_scene():
    held = {path.name for path in FOLDER.glob("*.png") if not path.name.endswith(".actual.png")}

    assert held == {f"{name}.png" for name in SCENES}


def test_a_missing_golden_fails_and_says_how_to_make_it(tmp_path):
    said = difference(np.zeros((2, 2, 3), np.uint8), tmp_path / "new.png")

    assert said is not None
    assert "new.png is missing" in said
    assert "python -m tests.golden.make" in said


def test_a_mismatch_writes_the_canvas_and_names_the_worst_pixel(tmp_path):
    canvas = np.zeros((4, 5, 3), np.uint8)
    write(canvas, tmp_path / "old.png")
    canvas[2, 3, 1], canvas[0, 0, 0] = 7, 2

    said = difference(canvas, tmp_path / "old.png")

    assert said is not None
    assert "2 of 20 pixels; worst at column 3, row 2, band 1: golden 0, drawn 7" in said
    assert (tmp_path / "old.actual.png").exists()

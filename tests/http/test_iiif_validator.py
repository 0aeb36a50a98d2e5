"""The IIIF community's own validator against a real server: level 2, version 3.0."""

import json
import subprocess
import sys

import httpx
import numpy as np
import pytest
import pyvips
from iiif_validator.validator import TestSuite as Suite
from iiif_validator.validator import ValidationInfo

from tests.http.catalogue import MATERIALS
from tests.http.server import run_server

COMPOSITION = """
schema = 1
title = "The validator's squares"
tone = "plain"

[views.front]
title = "Front"
width_px = 1000
height_px = 1000

[[views.front.layers]]
asset = "squares.png"
"""

# The validator's own program: one test after the other, one line for each.
VALIDATE = """
import json, sys
from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo
host, identifier, name = sys.argv[1:]
result = ImageAPI(identifier, host, "iiif/3", "http", "", "3.0", debug=False)
TestSuite(ValidationInfo()).run_test(name, result)
failed = result.exception and f"{result.exception} at {result.urls}"
print(json.dumps({"failed": failed, "urls": result.urls}))
"""

ABOVE_LEVEL_2 = {
    "format_jp2": "a format that browsers do not show",
    "format_pdf": "likewise",
    "format_gif": "256 colours",
    "format_tif": "likewise no browser's",
    "format_webp": "the validator asks with a function that Python 3 does not have",
    "size_up": "it takes the largest picture there can be for the image's own size",
    "rot_full_non90": "turning by any angle is not offered",
    "rot_region_non90": "likewise",
}
"""Tests of level 3, which no level of the API asks for, that are not passed, with the reason."""


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """A server whose one picture is the validator's: ten by ten squares of known colours."""
    folder = tmp_path_factory.mktemp("squares")
    (folder / "catalogue" / "squares").mkdir(parents=True)
    (folder / "catalogue" / "materials.toml").write_text(MATERIALS)
    (folder / "catalogue" / "squares" / "composition.toml").write_text(COMPOSITION)
    # Column by column, as the validator has them.
    colours = np.array(ValidationInfo().colorInfo, np.uint8).transpose(1, 0, 2)
    pixels = np.ascontiguousarray(colours.repeat(100, axis=0).repeat(100, axis=1))
    picture = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")
    picture.pngsave(str(folder / "catalogue" / "squares" / "squares.png"))
    with run_server(folder / "catalogue", folder, iiif="open") as server:
        yield server


@pytest.fixture(scope="module")
def identifier(squares):
    manifest = httpx.get(f"{squares.url}/v1/compositions/squares").json()
    return f"squares~front~{manifest['views'][0]['version']}~-"


def names(level):
    tests = Suite(ValidationInfo()).list_tests("3.0")
    return sorted(name for name, test in tests.items() if (test["level"] > 2) == (level > 2))


def validate(server, identifier, name):
    host = server.url.removeprefix("http://")
    command = [sys.executable, "-W", "ignore", "-c", VALIDATE, host, identifier, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", names(level=2))
def test_the_validator_passes_level_2(squares, identifier, name):
    assert validate(squares, identifier, name)["failed"] is None


@pytest.mark.parametrize("name", [name for name in names(level=3) if name not in ABOVE_LEVEL_2])
def test_the_validator_passes_what_is_offered_above(squares, identifier, name):
    assert validate(squares, identifier, name)["failed"] is None

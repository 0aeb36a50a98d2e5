"""The container image, as far as it can be held without an engine that builds it."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def bin_of_the_environment(name: str) -> Path:
    return Path(sys.executable).with_name(name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_hadolint_has_nothing_to_say():
    linted = subprocess.run(
        [bin_of_the_environment("hadolint"), ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (linted.stdout, linted.returncode) == ("", 0)


def test_what_the_image_copies_is_in_the_tree_and_reaches_the_builder():
    sent = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copies for source in line.split()}

    assert sources == sent
    for source in sources:
        assert (ROOT / source).exists(), source


def test_the_image_runs_as_an_ordinary_user():
    assert re.search(r"^USER 10001:10001$", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE)


def test_the_image_starts_a_command_that_the_package_has():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    script = re.search(r'^ENTRYPOINT \["([^"]+)"\]$', DOCKERFILE, re.MULTILINE)
    role = re.search(r'^CMD \["([^"]+)"\]$', DOCKERFILE, re.MULTILINE)

    assert script is not None
    assert role is not None
    assert script[1] in project["project"]["scripts"]
    helped = subprocess.run(
        [bin_of_the_environment(script[1]), role[1], "--help"], capture_output=True, check=False
    )
    assert helped.returncode == 0


def test_every_setting_of_the_image_is_one_that_the_service_takes():
    set_here = dict(re.findall(r"(RENDER_[A-Z_]+)=(\S+)", DOCKERFILE))
    shown = subprocess.run(
        [bin_of_the_environment("render-service"), "settings"],
        env=set_here,
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 0, shown.stderr


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]):
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "render_service").rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert files <= wheel


def test_the_wheel_holds_no_art_no_studio_and_no_tests(wheel: set[str]):
    assert {name.split("/")[0].partition("-")[0] for name in wheel} == {"render_service"}

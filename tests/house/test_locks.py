import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.stem for path in (ROOT / "locks").glob("*.txt"))
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$", re.MULTILINE)
SHARE_AN_ENVIRONMENT = ["run", "build", "embedded", "calibrate", "test", "bench"]


def text(lock: str) -> str:
    return (ROOT / "locks" / f"{lock}.txt").read_text()


def pins(lock: str) -> dict[tuple[str, str], str]:
    return {(pin["name"], pin["marker"] or ""): pin["version"] for pin in PIN.finditer(text(lock))}


def test_every_use_of_the_project_has_its_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = {name for name, needs in project["project"]["optional-dependencies"].items() if needs}

    assert set(LOCKS) == extras | {"run", "build"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_is_pinned_and_hashed(lock: str):
    entries = re.split(r"\n(?=\S)", text(lock).strip())

    assert entries
    for entry in entries:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_no_address_and_no_path(lock: str):
    assert not re.search(r"://|--index|--find-links| @ |^[^\s#]*/", text(lock), re.MULTILINE)


@pytest.mark.parametrize("lock", SHARE_AN_ENVIRONMENT)
def test_locks_that_share_an_environment_agree(lock: str):
    for other in SHARE_AN_ENVIRONMENT:
        for package, version in pins(lock).items():
            assert pins(other).get(package, version) == version, (package, lock, other)


def test_every_package_that_is_shipped_has_its_licence_named():
    named = (ROOT / "docs" / "licences.md").read_text().lower()

    for name, _ in pins("run"):
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", named), name

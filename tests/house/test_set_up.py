import re
import subprocess
from pathlib import Path

import pytest

from tools import environment, system_packages

ROOT = Path(__file__).parents[2]
PROMISED = {"run", "test", "check", "bench", "load", "studio", "clean"}


def make(*words: str) -> str:
    command = ["make", "--no-print-directory", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_lists_its_targets_with_what_they_do():
    listed = {line.split()[1]: line.split(maxsplit=2)[2] for line in make("help").splitlines()}

    assert set(listed) > PROMISED
    assert all(listed.values())


def test_make_run_serves_on_the_port_that_is_asked_for():
    typed = make("-n", "run", "PORT=9000")

    assert "RENDER_PORT=9000" in typed
    assert "exec .venv/bin/render-service serve" in typed


def test_make_run_publishes_the_demo_unless_a_folder_or_another_store_is_named():
    typed = make("-n", "run")

    assert '[ -n "$RENDER_CATALOGUE$RENDER_RELEASES" ]' in typed
    assert ".venv/bin/render-service publish compositions" in typed


def test_make_run_brings_a_valkey_along_unless_another_is_named():
    assert "RENDER_REDIS_URL=${RENDER_REDIS_URL-embedded}" in make("-n", "run")


def test_make_load_starts_a_service_unless_one_is_named():
    assert "--url" not in make("-n", "load", "URL=")
    assert "--url http://127.0.0.1:9000" in make("-n", "load", "URL=http://127.0.0.1:9000")


def test_make_load_takes_who_comes_and_in_what_shape():
    typed = make("-n", "load", "SCENARIO=crawler", "SHAPE=ramp", "USERS=7", "TIME=5m")
    assert "--scenario crawler --shape ramp" in typed
    assert "--users 7 --time 5m" in typed


def test_a_fingerprint_changes_with_any_file_it_covers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "a").write_text("one")
    before = environment.fingerprint("a")

    (tmp_path / "a").write_text("two")

    assert environment.fingerprint("a") != before


def test_an_environment_whose_stamp_is_current_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lock = tmp_path / "locks"
    lock.mkdir()
    for name in ("build.txt", "run.txt"):
        (lock / name).write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    stamp = tmp_path / ".venv" / "stamps" / "run"
    stamp.parent.mkdir(parents=True)
    stamp.write_text(environment.fingerprint("pyproject.toml", "locks/build.txt", "locks/run.txt"))

    environment.make_current(tmp_path / ".venv", "run")

    assert not (tmp_path / ".venv" / "bin").exists()


def test_a_list_of_system_packages_is_read_for_one_use_at_a_time():
    listing = "# head\ntest chromium chrome-program  # why\nstudio llvm libLLVM.so\n\n"

    assert system_packages.wanted(listing, use="test") == [("chromium", "chrome-program")]


def test_a_package_is_seen_by_its_program_or_its_library():
    assert system_packages.is_there("sh")
    assert system_packages.is_there("libc.so.6")
    assert system_packages.is_there("/*bin/sh")
    assert not system_packages.is_there("no-such-program")
    assert not system_packages.is_there("libno-such.so.1")
    assert not system_packages.is_there("/no/such/*")


def test_every_link_of_the_docs_leads_to_a_file():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} → {target}"

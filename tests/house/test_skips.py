"""No suite goes missing, and none is waited for: what is skipped, and what begins first."""

import re
from pathlib import Path

import pytest

from tests.conftest import LONG
from tests.servers import missing

TESTS = Path(__file__).parents[1]
SKIPS = re.compile(r"pytest\.(skip|importorskip|xfail)\b|mark\.(skip|skipif|xfail)\b|\bSkipTest\b")


def test_only_a_server_that_is_missing_skips_a_test():
    found = [
        f"{file.relative_to(TESTS)}:{number}"
        for file in sorted(TESTS.rglob("*.py"))
        if file != Path(__file__)
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if SKIPS.search(line)
    ]

    assert [place.partition(":")[0] for place in found] == ["servers.py"], found


def test_what_is_missing_fails_where_nothing_may_be(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Redis: apt-get"):
        missing("no Redis: apt-get install redis-server")


def test_what_is_missing_elsewhere_skips_and_says_what_to_install(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Redis: apt-get"):
        missing("no Redis: apt-get install redis-server")


def test_the_long_files_that_begin_first_are_there():
    assert [name for name in LONG if not (TESTS / name).is_file()] == []

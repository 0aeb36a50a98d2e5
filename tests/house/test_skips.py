"""No suite goes missing: what skips a test, or expects it to fail, stands in one place."""

import re
from pathlib import Path

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

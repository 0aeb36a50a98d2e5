"""A signing key of one's own: made once, for its user alone; and who needs one."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from render_service.adapters.own_key import keep_own, new_key
from render_service.planning.signatures import parse_keys
from tests.http.server import COMPOSITIONS


def test_it_is_made_once_and_can_be_used(tmp_path):
    key = keep_own(tmp_path / "data" / "key", new_key)
    assert keep_own(tmp_path / "data" / "key", new_key) == key
    (parsed,) = parse_keys(key)
    assert len(parsed.secret) == 32


def test_nobody_else_can_read_it(tmp_path):
    keep_own(tmp_path / "key", new_key)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_of_many_that_begin_at_once_all_have_the_same_and_nothing_else_stays(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: keep_own(tmp_path / "key", new_key), range(64)))
    assert len(keys) == 1
    assert os.listdir(tmp_path) == ["key"]


def test_a_service_with_a_database_and_no_key_does_not_start_and_says_why(tmp_path):
    environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
    environment |= {
        "RENDER_CATALOGUE": str(COMPOSITIONS),
        "RENDER_DATA": str(tmp_path),
        "DATABASE_URL": "postgresql://render@127.0.0.1:1/postgres",
    }
    done = subprocess.run(
        [sys.executable, "-m", "render_service", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "RENDER_SIGNING_KEYS is empty" in done.stderr
    assert "keys make" in done.stderr

"""The folder of the counts, made and swept up."""

import subprocess
import sys

from render_service.telemetry.folder import private_folder, sweep

PARENT = """
import sys
from render_service.telemetry.folder import private_folder
with private_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_only_its_user_can_enter_it_and_it_is_gone_afterwards():
    with private_folder() as folder:
        mode = folder.stat().st_mode & 0o777
        assert folder.is_dir()

    assert mode == 0o700
    assert not folder.exists()


def test_one_whose_parent_was_killed_is_removed_by_the_next_and_no_other_is():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        abandoned = parent.stdout.readline().strip()
        parent.kill()
    assert parent.returncode != 0

    with private_folder() as mine, private_folder() as other:
        sweep(mine.parent)
        assert mine.is_dir()
        assert other.is_dir()
        assert abandoned not in [str(folder) for folder in mine.parent.iterdir()]

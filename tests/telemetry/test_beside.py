"""What other processes render now, as one of them sees it."""

import math
import os
import subprocess
import sys

from render_service.telemetry.beside import least_renders_beside, renders_under_way

RENDERING = """
import sys
from pathlib import Path
from render_service.telemetry.board import BOARD, RENDERING
BOARD.share(Path(sys.argv[1]))
BOARD.cells[RENDERING] = float(sys.argv[2])
BOARD.cells[0] -= float(sys.argv[3])
print("ready", flush=True)
sys.stdin.read()
"""


def start(folder, renders, silent_s=0):
    words = [sys.executable, "-c", RENDERING, folder, renders, silent_s]
    process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def stop(*processes):
    for process in processes:
        process.communicate()


def test_renders_of_all_processes_are_seen(tmp_path):
    processes = start(tmp_path, 2), start(tmp_path, 1)
    assert renders_under_way(tmp_path) == 3
    stop(*processes)


def test_those_of_a_process_that_has_not_beaten_lately_are_not(tmp_path):
    processes = start(tmp_path, 2), start(tmp_path, 1, silent_s=60)
    assert renders_under_way(tmp_path) == 2
    stop(*processes)


def test_of_the_others_the_one_with_fewest_is_seen_and_never_this_one(tmp_path):
    assert least_renders_beside(tmp_path) == math.inf
    own = start(tmp_path, 0)
    processes = start(tmp_path, 2), start(tmp_path, 1), start(tmp_path, 0, silent_s=60)
    for file in tmp_path.glob(f"{own.pid}-*"):
        file.rename(tmp_path / file.name.replace(str(own.pid), str(os.getpid()), 1))
    assert least_renders_beside(tmp_path) == 1
    stop(own, *processes)


def test_a_process_without_a_folder_is_alone():
    assert least_renders_beside(None) == math.inf


def test_a_folder_that_is_gone_shows_none(tmp_path):
    assert renders_under_way(tmp_path / "gone") == 0

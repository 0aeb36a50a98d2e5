"""Counts of several processes as one, on real files and real processes."""

import json
import subprocess
import sys

import pytest

from render_service.telemetry.board import CELLS, Board
from render_service.telemetry.gather import fold, gather
from render_service.telemetry.kinds import OTHER, SERIES_MAX, Counter, Gauge, Histogram, Label

WORKER = """
import sys
from pathlib import Path
from render_service.telemetry.board import Board
from render_service.telemetry.gather import fold
from render_service.telemetry.kinds import Counter, Gauge, Label
board = Board()
counter = Counter("c", "{x}", "", Label(name="l", values=""), board=board)
gauge = Gauge("g", "{x}", "", board=board)
counter.add(2, "before")
folder = Path(sys.argv[1])
board.share(folder)
fold(folder)
counter.add(3, "after")
gauge.set(7)
print("counted", flush=True)
sys.stdin.read()
"""
LABEL = Label(name="l", values="")


class Worker:
    """A process that counts 2 before it shares and 3 after, holds 7, and waits."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"counted\n"

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start(tmp_path):
    started = []

    def one():
        started.append(Worker(tmp_path))
        return started[-1]

    yield one
    for worker in started:
        worker.kill()


def total(folder, name, *labels):
    return gather(folder).sums.get((name, labels), [0.0])[0]


def test_what_was_counted_before_it_was_shared_is_not_lost(start, tmp_path):
    start()

    assert (total(tmp_path, "c", "before"), total(tmp_path, "c", "after")) == (2, 3)


def test_counts_of_processes_add_up(start, tmp_path):
    start()
    start()

    assert (total(tmp_path, "c", "after"), total(tmp_path, "g")) == (6, 14)


def test_a_killed_process_leaves_its_counts_and_takes_what_it_held(start, tmp_path):
    start()
    start().kill()

    assert (total(tmp_path, "c", "after"), total(tmp_path, "g")) == (6, 7)
    reading = gather(tmp_path)
    # Alive or silent: on a busy machine its one beat may be long ago.
    assert (reading.alive + reading.silent, reading.ended) == (1, 1)


def test_the_next_process_folds_those_that_have_ended_and_sums_stay(start, tmp_path):
    for _ in range(3):
        start().kill()
    start()

    assert (total(tmp_path, "c", "after"), total(tmp_path, "g")) == (12, 7)
    assert gather(tmp_path).ended == 3
    assert len(list(tmp_path.glob("*.cells"))) == 1


def test_a_fold_that_was_cut_before_it_removed_files_counts_nothing_twice(start, tmp_path):
    start().kill()
    kept = {path: path.read_bytes() for path in tmp_path.glob("*.[cs]e*")}
    fold(tmp_path)
    for path, content in kept.items():
        path.write_bytes(content)

    assert total(tmp_path, "c", "after") == 3
    fold(tmp_path)
    assert (total(tmp_path, "c", "after"), gather(tmp_path).ended) == (3, 1)


def test_a_series_cut_short_by_a_kill_is_left_out_alone(start, tmp_path):
    start().kill()
    (series,) = tmp_path.glob("*.series")
    series.write_bytes(series.read_bytes() + b'[20, 1, true, "c", ["ha')

    assert total(tmp_path, "c", "after") == 3


def test_a_process_that_is_stopped_holds_nobody_up_and_is_counted(start, tmp_path):
    worker = start()
    (cells,) = tmp_path.glob("*.cells")
    # As if its last beat were long ago.
    with cells.open("r+b") as file:
        file.write(bytes(8))

    reading = gather(tmp_path)

    assert (reading.alive, reading.silent) == (0, 1)
    assert worker.process.poll() is None
    assert reading.sums["c", ("after",)] == [3]


def test_series_past_the_bound_count_as_one():
    counter = Counter("c", "{x}", "", LABEL, board=Board())

    for number in range(2 * SERIES_MAX):
        counter.add(1, str(number))

    assert counter.value(OTHER) == SERIES_MAX
    assert counter.value("0") == 1


def test_a_board_that_is_full_says_so_and_counting_goes_on(caplog):
    board = Board()
    bounds = tuple(float(number) for number in range(60))
    histograms = [Histogram(f"h{n}", "s", "", LABEL, bounds=bounds, board=board) for n in range(2)]

    for number in range(CELLS // 60):
        for histogram in histograms:
            histogram.record(1, str(number))

    assert "no cells are left" in caplog.text
    assert histograms[0].value("0") == 1


def test_a_value_on_a_bound_lies_under_it():
    board = Board()
    histogram = Histogram("h", "s", "", bounds=(1.0, 2.0), board=board)

    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.record(value)

    at = histogram.at()
    assert list(board.cells[at : at + 4]) == [2, 2, 1, 14.0]


def test_labels_that_do_not_fit_are_refused():
    gauge = Gauge("g", "{x}", "", LABEL, board=Board())

    with pytest.raises(TypeError, match=r"g has the labels \(l\)"):
        gauge.set(1)


def test_a_folder_that_cannot_be_used_leaves_no_half_of_a_file(tmp_path):
    folder = tmp_path / "none"

    with pytest.raises(FileNotFoundError):
        Board().share(folder)

    assert not folder.exists()


def test_what_is_folded_is_plain_json(start, tmp_path):
    start().kill()

    fold(tmp_path)

    assert json.loads((tmp_path / "gone.json").read_text())["ended"] == 1

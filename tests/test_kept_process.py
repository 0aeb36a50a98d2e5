"""A process beside ours is there again when it dies, and gone when we are."""

import contextlib
import os
import signal
import sys

import psutil

from render_service.adapters.kept_process import environment_with, keep_process
from tests.servers import wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
SLEEP = "import time; time.sleep(60)"
SAYS = "import os, sys; open(sys.argv[1], 'a').write(os.environ['WORD'] + '\\n')"


def children():
    """Ours that were kept here: other tests have servers."""
    mine = [SLEEP, STUBBORN, SAYS]
    return [one for one in psutil.Process().children() if set(mine) & set(command_of(one))]


def command_of(process):
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def keep(program, *words, stop_s=10.0):
    command = [sys.executable, "-c", program, *words]
    return keep_process("the sleeper", command, environment_with({"WORD": "hello"}), stop_s=stop_s)


def test_one_that_is_killed_is_started_again(caplog):
    with keep(SLEEP):
        wait_until(children, str)
        (first,) = children()
        first.kill()
        wait_until(lambda: [one for one in children() if one != first], str)
    assert "the sleeper died (status -9); started again in 0.5 s" in caplog.text
    assert children() == []


def test_one_that_does_not_stop_is_killed(caplog):
    with keep(STUBBORN, stop_s=0.5):
        wait_until(children, str)
        (child,) = children()
        wait_until(lambda: signal.SIGTERM in ignored(child.pid), str)
    assert "the sleeper did not stop when asked, and was killed" in caplog.text
    assert children() == []


def ignored(pid):
    """The signals that a process ignores."""
    with open(f"/proc/{pid}/status") as status:
        (mask,) = (line.split()[1] for line in status if line.startswith("SigIgn"))
    return {number for number in signal.Signals if int(mask, 16) >> (number - 1) & 1}


def test_it_gets_the_environment_that_it_is_given(tmp_path):
    said = tmp_path / "said"
    with keep(SAYS, str(said)):
        wait_until(said.exists, str)
        wait_until(lambda: said.read_text().startswith("hello"), said.read_text)
    assert "WORD" not in os.environ

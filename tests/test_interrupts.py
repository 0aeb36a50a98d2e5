import contextlib
import signal

import pytest

from render_service.commands.interrupts import Interrupts


def test_a_ctrl_c_that_was_lost_where_it_arrived_counts_at_the_next_step():
    with Interrupts() as interrupts:
        interrupts.check()
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_what_was_done_with_ctrl_c_before_is_done_again_after():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before

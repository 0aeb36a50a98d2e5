import itertools

import pytest

from render_service.errors import Overloaded, Refusal
from render_service.rendering.admission import Admission
from render_service.rendering.cost import Work
from tests.rendering.virtual import LARGE_MS, SMALL_MS, Simulation, arrivals, quantile


def work(ms, **layers_ms):
    return Work(own_ms=ms, layers_ms=layers_ms)


class Line:
    """An admission and who was told what, by name."""

    def __init__(self, *, threads=1, queue_s=100.0, deadline_s=1000.0):
        self.admission = Admission(threads=threads, queue_s=queue_s, deadline_s=deadline_s)
        self.begun, self.refused, self.entries = [], {}, {}

    def ask(self, name, ms, now_s=0.0, *, behind=False, asked_s=None, **layers_ms):
        def decide(refused):
            if refused is None:
                self.begun.append(name)
            else:
                self.refused[name] = refused

        self.entries[name] = self.admission.enter(
            work(ms, **layers_ms), now_s, decide, behind=behind, asked_s=asked_s
        )

    def finish(self, name, now_s):
        self.admission.finish(self.entries[name], now_s)

    def leave(self, name, now_s):
        self.admission.leave(self.entries[name], now_s)


def test_what_finds_a_free_thread_begins_at_once():
    line = Line(threads=2)
    line.ask("one", 100)
    line.ask("two", 100)
    line.ask("three", 100)
    assert line.begun == ["one", "two"]


def test_the_shorter_begins_before_the_longer_that_came_first():
    line = Line()
    line.ask("running", 100)
    line.ask("long", 1000)
    line.ask("short", 10)
    line.finish("running", 0.1)
    assert line.begun == ["running", "short"]


def test_equals_begin_in_the_order_they_came():
    line = Line()
    for number, name in enumerate(("running", "first", "second", "third")):
        line.ask(name, 100, now_s=number / 1000)
    for number, name in enumerate(("running", "first", "second")):
        line.finish(name, 0.1 * (number + 1))
    assert line.begun == ["running", "first", "second", "third"]


def test_the_longer_that_waited_long_begins_before_a_shorter_that_just_came():
    line = Line()
    line.ask("running", 10_000)
    line.ask("long", 1000, now_s=0)
    line.ask("short", 10, now_s=9)
    line.finish("running", 10)
    assert line.begun == ["running", "long"]


def test_what_must_begin_now_to_be_in_time_begins_before_a_shorter():
    line = Line(deadline_s=2)
    line.ask("running", 500)
    line.ask("long", 1000, now_s=0)
    line.ask("short", 10, now_s=0.95)
    line.finish("running", 1.0)
    assert line.begun == ["running", "long"]


def test_an_expected_wait_over_the_bound_is_refused():
    line = Line(queue_s=1)
    line.ask("running", 900)
    line.ask("waiting", 500)
    line.ask("waiting too", 600)
    with pytest.raises(Overloaded) as refused:
        line.ask("one too many", 610)
    assert refused.value.reason is Refusal.QUEUE


def test_a_short_one_is_let_in_where_a_long_one_would_wait_too_long():
    line = Line(queue_s=1)
    line.ask("running", 900)
    line.ask("waiting", 900)
    line.ask("short", 10)
    assert line.admission.waiting == 2


def test_a_deadline_that_cannot_be_met_is_refused():
    line = Line(deadline_s=2)
    line.ask("running", 1500)
    with pytest.raises(Overloaded) as refused:
        line.ask("long", 1000)
    assert refused.value.reason is Refusal.DEADLINE


def test_time_that_passed_before_the_line_counts_towards_the_deadline():
    line = Line(deadline_s=2)
    line.ask("running", 500, now_s=10)
    with pytest.raises(Overloaded) as refused:
        line.ask("asked long ago", 500, now_s=10, asked_s=8.5)
    assert refused.value.reason is Refusal.DEADLINE


def test_who_was_let_in_is_not_made_late_by_who_comes_after():
    line = Line(deadline_s=2)
    line.ask("running", 500)
    line.ask("long", 1440)
    with pytest.raises(Overloaded) as refused:
        line.ask("short", 65)
    assert refused.value.reason is Refusal.OTHERS


def test_an_idle_process_tries_whatever_it_expects():
    line = Line(deadline_s=1)
    line.ask("huge", 5000)
    assert line.begun == ["huge"]


def test_what_can_no_longer_be_in_time_is_refused_when_its_turn_comes():
    line = Line(threads=2, deadline_s=2)
    line.ask("running", 100)
    line.ask("running too", 100)
    line.ask("waiting", 1500)
    line.finish("running", 1.9)
    assert line.refused["waiting"].reason is Refusal.LATE


def test_what_waits_past_its_deadline_is_refused():
    line = Line(deadline_s=2)
    line.ask("running", 100)
    line.ask("waiting", 100)
    line.admission.expire(line.entries["waiting"], 2.0)
    assert line.refused["waiting"].reason is Refusal.LATE
    assert line.admission.waiting == 0


def test_who_leaves_takes_the_expected_time_with_it():
    line = Line()
    line.ask("running", 100)
    line.ask("waiting", 5000, layer=2000)
    line.leave("waiting", 0.0)
    assert line.admission.waiting_s == 0
    assert line.admission.expect(work(100, layer=2000), 0.0).wait_s == pytest.approx(0.1)


def test_a_layer_that_two_need_is_expected_once():
    line = Line()
    line.ask("running", 100, layer=1000)
    line.ask("waiting", 100, layer=1000)
    assert line.admission.waiting_s == pytest.approx(0.1)


def test_what_is_at_hand_when_it_begins_is_expected_no_longer():
    line = Line()
    line.ask("running", 100, layer=1000)
    line.admission.revise(line.entries["running"], work(100))
    assert line.admission.expect(work(1), 0.0).wait_s == pytest.approx(0.1)


def test_the_pace_is_learnt_from_what_renders_take():
    line = Line()
    for number in range(100):
        line.ask("slow", 100, now_s=number)
        line.finish("slow", number + 0.3)
    assert line.admission.pace.ratio == pytest.approx(3, rel=0.05)


def test_who_waited_for_a_layer_that_another_made_teaches_no_pace():
    line = Line(threads=2)
    line.ask("maker", 100, layer=1000)
    line.ask("other", 100, layer=1000)
    line.admission.revise(line.entries["other"], work(100, layer=1000))
    line.finish("other", 1.2)
    assert line.admission.pace.ratio == 1


def test_one_render_that_was_held_up_hardly_moves_the_pace():
    line = Line()
    line.ask("stopped", 100)
    line.finish("stopped", 3600)
    assert line.admission.pace.ratio < 1.2


def test_work_behind_begins_only_while_a_thread_stays_free():
    line = Line(threads=2)
    line.ask("request", 100)
    with pytest.raises(Overloaded) as refused:
        line.ask("wish", 100, behind=True)
    assert refused.value.reason is Refusal.NOT_SPARE
    assert line.admission.refused.total() == 0


def test_work_behind_begins_one_at_a_time():
    line = Line(threads=8)
    line.ask("wish", 100, behind=True)
    assert not line.admission.is_spare


@pytest.mark.parametrize("threads", [1, 2])
def test_requests_never_wait_for_work_behind(threads):
    line = Line(threads=threads, queue_s=0)
    line.ask("wish", 10_000, behind=True)
    for number in range(threads):
        line.ask(number, 100)
    assert line.begun == ["wish", *range(threads)]


def test_large_pictures_cannot_starve_small_ones():
    flood = [(second / 10, LARGE_MS) for second in range(1000)]  # three times the capacity
    few = [(second + 0.5, SMALL_MS) for second in range(100)]
    visits = Simulation().run(sorted(flood + few))
    small = [visit for visit in visits if visit.cost_ms == SMALL_MS]
    assert all(visit.answered_s is not None for visit in small)
    # Nothing is interrupted: the longest wait is for both threads to end what they render.
    assert max(visit.waited_s for visit in small) <= 1.4 * LARGE_MS / 1000


def test_small_pictures_cannot_starve_large_ones():
    flood = [(number / 200, SMALL_MS) for number in range(8000)]  # twice the capacity
    visits = Simulation().run(sorted(flood + [(5 * second, LARGE_MS) for second in range(1, 8)]))
    large = [visit for visit in visits if visit.cost_ms == LARGE_MS]
    assert sum(visit.answered_s is not None for visit in large) >= 0.9 * len(large)


@pytest.mark.parametrize("load", [0.5, 0.9])
def test_below_capacity_hardly_anyone_is_refused(load):
    visits = Simulation().run(arrivals(load))
    assert sum(visit.refused is not None for visit in visits) <= 0.01 * len(visits)


@pytest.mark.parametrize("slowness", [0.5, 1.0, 3.0])
def test_at_twice_the_capacity_the_threads_work_on_what_is_in_time(slowness):
    simulation = Simulation(slowness=slowness)
    visits = simulation.run(arrivals(2.0 / slowness, until_s=120))
    good = [v for v in visits if v.answered_s is not None and v.answered_s - v.asked_s <= 10]
    done_ms = slowness * sum(visit.cost_ms for visit in good)
    assert done_ms >= 0.9 * 1000 * 2 * 120
    late = [v for v in visits if v.answered_s is not None and v.answered_s - v.asked_s > 10]
    assert len(late) <= 0.01 * len(good)


def test_small_pictures_wait_less_than_large_ones_at_any_load():
    visits = [v for v in Simulation().run(arrivals(0.9)) if v.answered_s is not None]
    small = [visit.waited_s for visit in visits if visit.cost_ms == SMALL_MS]
    large = [visit.waited_s for visit in visits if visit.cost_ms == LARGE_MS]
    assert quantile(small, 0.99) < quantile(large, 0.99) / 2


@pytest.mark.parametrize(("load", "share"), [(0.3, 0.9), (0.5, 0.9), (0.7, 0.85)])
def test_who_comes_back_when_told_is_let_in(load, share):
    costs = itertools.islice((cost_ms for _, cost_ms in arrivals(1.0)), 600)
    burst = [(60 + number / 1000, cost_ms) for number, cost_ms in enumerate(costs)]
    visits = Simulation(attempts=2).run(sorted([*arrivals(load), *burst]))
    back = [visit for visit in visits if visit.attempt == 1]
    assert len(back) > 100
    assert sum(visit.answered_s is not None for visit in back) >= share * len(back)


def test_nobody_is_sent_away_for_longer_than_two_minutes():
    visits = Simulation().run(arrivals(8.0, until_s=20))
    told = [visit.retry_after_s for visit in visits if visit.refused]
    assert 1 <= min(told) <= max(told) <= 120


def test_an_estimate_never_makes_a_process_refuse_for_ever():
    simulation = Simulation(slowness=50.0, deadline_s=2.0)
    visits = simulation.run(arrivals(0.02))
    assert visits[-1].answered_s is not None or visits[-1].refused is not None
    answered = [visit for visit in visits if visit.answered_s is not None]
    assert len(answered) > 10

"""One run: a scenario in a shape against a service, its table, its report, and what was broken.

The rule: a run ends by itself, after its time or its number of requests, whichever is first; and
its outcome is what the checker says, not what Locust counts as failures.
"""

import logging
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

import gevent
from locust import LoadTestShape
from locust.env import Environment
from locust.html import get_html_report
from locust.log import setup_logging
from locust.stats import print_percentile_stats, print_stats, stats_history
from msgspec import Struct

from loadtests.asking import (
    NoService,
    count_renders,
    find_keys,
    read_products,
    wait_until_quiet,
)
from loadtests.decoding import decode_picture
from loadtests.invariants import INVARIANTS, Checker
from loadtests.shapes import crowd_at
from loadtests.visiting import Visitor, make_run
from loadtests.visitors import (
    AttackVisitor,
    CrawlerVisitor,
    EdgeVisitor,
    HerdVisitor,
    ShopperVisitor,
)

SCENARIOS: Final[Mapping[str, Mapping[type[Visitor], int]]] = {
    "shoppers": {ShopperVisitor: 1},
    "fill": {EdgeVisitor: 1},
    "herd": {HerdVisitor: 1},
    "crawler": {CrawlerVisitor: 1},
    "attack": {AttackVisitor: 1},
    # Half of the traffic of the web is not people (Imperva, Bad Bot Report 2024: 49.6 %).
    "mixed": {ShopperVisitor: 5, EdgeVisitor: 1, CrawlerVisitor: 2, AttackVisitor: 2},
}
"""Name → who comes, and in what proportion."""

KEYS_CHECKED: Final = 20
"""Pictures whose keys are asked for after a run: each takes the service one plan."""

_STOP_S: Final = 5.0
"""Visitors have so long to finish what they asked for: most of a deadline of the service."""


class Plan(Struct, frozen=True, kw_only=True):
    """What to run.

    Attributes:
        url: Of the service.
        scenario: One of `SCENARIOS`.
        shape: One of `SHAPES`.
        users: At most, 1 or more.
        run_s: Seconds.
        requests_max: The run ends when so many were answered.
        seed: Decides what is left to chance.
        report: Where the HTML goes.
    """

    url: str
    scenario: str
    shape: str
    users: int
    run_s: float
    requests_max: int
    seed: int
    report: Path


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a run.

    Attributes:
        asked: Requests that were sent.
        refused: Answered with 503.
        pictures: Different pictures that were answered.
        decoded: Bodies that were decoded.
        keys: Pictures whose keys were compared.
        drawn: Pictures that the service drew meanwhile, by its own count; None: it shows none.
        sentences: What was broken; empty: nothing.
    """

    asked: int
    refused: int
    pictures: int
    decoded: int
    keys: int
    drawn: int | None
    sentences: tuple[str, ...]


def run(plan: Plan) -> Outcome:
    """Run `plan` to its end, print the table of requests, write the report.

    Raises:
        NoService: The service at its address does not answer as one of ours.
        NotThisMachine: It is on another machine.
    """
    shared = make_run(read_products(plan.url), plan.seed)
    Visitor.shared = shared
    # What is drawn of itself after a start is drawn before anything is counted.
    before = wait_until_quiet(plan.url)
    environment = _environment(plan)
    _drive(environment, plan)
    print_stats(environment.stats, current=False)
    print_percentile_stats(environment.stats)
    outcome = _judge(shared.checker, plan, before)
    plan.report.parent.mkdir(parents=True, exist_ok=True)
    html = get_html_report(environment, show_download_link=False)
    plan.report.write_text(_with_verdict(html, plan, outcome))
    return outcome


def _environment(plan: Plan) -> Environment:
    setup_logging("WARNING")
    for handler in logging.getLogger("locust.stats_logger").handlers:
        # The table is what was asked for, and no complaint.
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stdout)
    weights = SCENARIOS[plan.scenario]
    for kind, weight in weights.items():
        kind.weight = weight
    shape = _Shape(plan)
    environment = Environment(
        user_classes=list(weights),
        host=plan.url,
        shape_class=shape,
        locustfile=f"loadtests, {plan.scenario}",
        stop_timeout=_STOP_S,
        catch_exceptions=True,
    )

    def stop_when_enough(**_: object) -> None:
        if environment.stats.num_requests >= plan.requests_max:
            shape.is_over = True

    environment.events.request.add_listener(stop_when_enough)
    return environment


class _Shape(LoadTestShape):
    """The shape of the plan, as Locust asks for one: who is to be there now."""

    abstract = True  # not to be found by Locust's own command line

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan, self.is_over = plan, False

    def tick(self) -> tuple[int, float] | None:
        plan = self._plan
        crowd = crowd_at(plan.shape, self.get_run_time(), plan.users, plan.run_s)
        return None if crowd is None or self.is_over else (crowd.users, crowd.per_s)


def _drive(environment: Environment, plan: Plan) -> None:
    runner = environment.create_local_runner()
    history = gevent.spawn(stats_history, runner)
    try:
        runner.start_shape()
        runner.shape_greenlet.join()
    finally:
        # Locust has asked everybody to stop; whoever still waits is let finish, for _STOP_S.
        runner.quit()
        history.kill()
    for error in runner.exceptions.values():
        Visitor.shared.checker.breach("visitors", f"{error['msg']}\n{error['traceback']}")


def _judge(checker: Checker, plan: Plan, before: int | None) -> Outcome:
    """Check what can only be checked afterwards."""
    if not checker.seen:
        checker.breach("visitors", f"Nobody asked {plan.url} for anything.")
    decoded, keys, after = checker.check_bodies(decode_picture), 0, None
    try:
        after = count_renders(plan.url)
        keys = checker.check_keys(find_keys(plan.url, list(checker.pictures)[:KEYS_CHECKED]))
    except NoService as error:
        checker.breach("answered", f"After the run, {error}.")
    drawn = None if before is None or after is None else after - before
    if plan.scenario == "attack" and before is not None and after is not None:
        checker.check_renders(before, after)
    return Outcome(
        asked=checker.seen.total(),
        refused=checker.seen[503],
        pictures=len(checker.pictures),
        decoded=decoded,
        keys=keys,
        drawn=drawn,
        sentences=tuple(checker.sentences),
    )


def describe(outcome: Outcome) -> list[str]:
    """Return lines that say what was checked, and what was broken."""
    drawn = "not known: no /metrics there" if outcome.drawn is None else str(outcome.drawn)
    lines = [
        f"{outcome.asked} requests, {outcome.refused} refused with 503; "
        f"{outcome.pictures} different pictures; drawn meanwhile: {drawn}.",
        f"{len(INVARIANTS)} invariants checked; "
        f"{outcome.decoded} bodies decoded, {outcome.keys} keys compared.",
    ]
    if not outcome.sentences:
        return [*lines, "Nothing was broken."]
    return [*lines, "Broken:", *(f"  {sentence}" for sentence in outcome.sentences)]


def _with_verdict(html: str, plan: Plan, outcome: Outcome) -> str:
    """Put the verdict above Locust's own report."""
    escaped = [escape(line) for line in describe(outcome)]
    colour = "#8a1c1c" if outcome.sentences else "#1c5c2e"
    title = f"{plan.scenario}, {plan.shape}, {plan.users} users, {plan.run_s:g} s"
    section = (
        f'<section style="font: 15px/1.5 sans-serif; padding: 1rem 1.5rem; color: #fff; '
        f'background: {colour}; white-space: pre-wrap; overflow-wrap: anywhere">'
        f"<strong>{escape(title)}</strong>\n" + "\n".join(escaped) + "</section>"
    )
    head, body, rest = html.partition("<body>")
    return f"{head}{body}{section}{rest}" if body else f"{section}{html}"

"""The arguments of `jobs`."""

import argparse

from render_service.commands.jobs import (
    cancel_job,
    list_jobs,
    mail_test,
    retry_job,
    show_job,
    wait_for_job,
)
from render_service.jobs.model import Kind, Status

_ONE = {
    "show": ("print all of a job, as JSON", show_job),
    "wait": ("show how far a job is until it is over; status 1 unless it is done", wait_for_job),
    "cancel": ("end a job that waits or runs", cancel_job),
    "retry": ("have a job that failed or was cancelled done after all", retry_job),
}


def add_jobs(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `jobs`."""
    parser = commands_.add_parser(
        "jobs",
        help="see and steer background work",
        description="Jobs are done by `render-service work`, or by `serve` where the database is "
        "embedded.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the newest jobs, one a line")
    listing.add_argument("--limit", type=_limit, default=20, help="at most so many (20)")
    listing.add_argument("--status", choices=[str(one) for one in Status])
    listing.add_argument("--kind", choices=[str(one) for one in Kind])
    listing.set_defaults(
        run=lambda options, settings: list_jobs(
            settings, limit=options.limit, status=options.status, kind=options.kind
        )
    )
    _add_mail(actions)
    for name, (said, do) in _ONE.items():
        one = actions.add_parser(name, help=said)
        one.add_argument("job", metavar="JOB", help="its id")
        one.set_defaults(run=lambda options, settings, do=do: do(settings, options.job))


def _add_mail(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    mail = actions.add_parser("mail", help="send a message to see that mail arrives, and wait")
    mail.add_argument("address", metavar="ADDRESS", help="whom to")
    mail.set_defaults(run=lambda options, settings: mail_test(settings, options.address))


def _limit(given: str) -> int:
    if given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= 1000:
        return int(given)
    raise argparse.ArgumentTypeError(f"{given!r}: expected a whole number from 1 to 1000")

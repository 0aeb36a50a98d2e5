"""What a run of `warm` came to, as a table or for programs.

The rule: it says whether all is there, and if not, why not and what to do to go on.
"""

import msgspec
from msgspec import Struct


class Report(Struct, frozen=True, kw_only=True):
    """What a run came to.

    Attributes:
        lattice: Pictures, one for every combination of all options, rules not considered.
        shown: Of these, told apart by the options that views show.
        reached: Pictures that were looked at, in the order of popularity.
        distinct: Of these, with a key of their own.
        rendered: Of these, drawn in this run.
        found: Already there, or drawn by another meanwhile.
        failed: Could not be drawn.
        unstored: Drawn, and not taken by a store.
        bytes: Of all pictures rendered or found.
        rendered_bytes: Of those rendered.
        seconds: It took.
        stores: Where the pictures are.
        unavailable: Of these, those that could not be read or written the last time.
        by_counts: What shoppers changed to ranked it; otherwise the definition did.
        ended: Why it ended.
        complete: Whether everything asked for was looked at.
    """

    lattice: int
    shown: int
    reached: int
    distinct: int
    rendered: int
    found: int
    failed: int
    unstored: int
    bytes: int
    rendered_bytes: int
    seconds: float
    stores: tuple[str, ...]
    unavailable: tuple[str, ...]
    by_counts: bool
    ended: str
    complete: bool


def print_report(report: Report, *, as_json: bool) -> None:
    """Print the table."""
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
        return
    rows = _rows(report)
    width = max(len(name) for name, _ in rows)
    for name, said in rows:
        print(f"{name.ljust(width)}  {said}")


def _rows(report: Report) -> list[tuple[str, str]]:
    order = "what shoppers changed to" if report.by_counts else "the definition, defaults first"
    distinct = f"{report.distinct:,} of {report.reached:,} looked at"
    rows = [
        ("lattice", f"{report.lattice:,} pictures; {report.shown:,} by what views show"),
        ("order", order),
        ("distinct keys", distinct + ("" if report.complete else ", the most popular")),
        ("rendered", f"{report.rendered:,}"),
        ("already there", f"{report.found:,}"),
        ("bytes", f"{report.bytes:,}, of these rendered {report.rendered_bytes:,}"),
        ("seconds", f"{report.seconds:,.1f}"),
        ("stores", ", ".join(report.stores)),
    ]
    if report.failed:
        rows.append(("could not be drawn", f"{report.failed:,}, see above"))
    if report.unstored:
        rows.append(("not stored", f"{report.unstored:,}; the same command tries them again"))
    if report.unavailable:
        rows.append(("unavailable", ", ".join(report.unavailable)))
    again = "" if report.complete else "; the same command goes on from here"
    return [*rows, ("ended", report.ended + again)]

"""The arguments of `warm`, read so that a wrong one is refused with what is right."""

import argparse
import re
from collections.abc import Callable
from typing import Final, TypeVar

from render_service.commands.warm import warm
from render_service.errors import InvalidRequest
from render_service.formats import Format
from render_service.planning.likely import Asked
from render_service.settings import Settings

BUDGET_S: Final = 300.0
"""Without any budget given: long enough to see how fast it goes, and nobody has lost an evening."""

T = TypeVar("T")

_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def add_warm(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `warm`."""
    parser = commands_.add_parser(
        "warm",
        help="make pictures before they are asked for, the most popular first",
        description="Make the pictures of what is served, the most popular configurations first, "
        "into the stores that servers read; what is there already is found, so one that was "
        "stopped goes on where it was. It may run beside a service.",
        epilog="render-service warm solitaire-ring --views hero --widths 640,1280 --seconds 600",
    )
    parser.add_argument("composition", nargs="*", help="ids (all of them)")
    parser.add_argument("--views", type=_names, metavar="VIEW,…", help="VIEW or VIEW:REGION (all)")
    parser.add_argument("--widths", type=_widths, metavar="PIXELS,…", help="(up to 800)")
    parser.add_argument(
        "--formats", type=_formats, metavar="FORMAT,…", help="of avif,webp,jpg,png (avif,webp)"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        help=f"begin nothing after so many ({BUDGET_S:g}, unless --bytes or --all)",
    )
    parser.add_argument(
        "--bytes", type=_bytes, metavar="SIZE", help="of pictures, those there included: 500M, 2G"
    )
    parser.add_argument("--all", action="store_true", help="all of them, however long it takes")
    parser.add_argument("--json", action="store_true", help="the table for programs")
    parser.set_defaults(run=_warm)


def _warm(options: argparse.Namespace, settings: Settings) -> int:
    bounded = options.seconds is not None or options.bytes is not None
    if options.all and bounded:
        raise InvalidRequest("--all is without a budget: leave out --seconds and --bytes, or it.")
    unbounded = options.all or options.bytes is not None
    asked = Asked(
        compositions=tuple(options.composition),
        views=options.views,
        widths_px=options.widths,
        formats=options.formats or (Format.AVIF, Format.WEBP),
        budget_s=options.seconds or (None if unbounded else BUDGET_S),
        budget_bytes=options.bytes,
        as_json=options.json,
    )
    return warm(settings, asked)


def _names(given: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, given.split(","))))


def _widths(given: str) -> tuple[int, ...]:
    return tuple(_each(given, lambda name: int(name) if _whole(name) else None, "a width"))


def _formats(given: str) -> tuple[Format, ...]:
    known = {str(format_): format_ for format_ in Format}
    return tuple(_each(given, known.get, f"of {', '.join(known)}"))


def _each(given: str, read: Callable[[str], T | None], expected: str) -> list[T]:
    found = []
    for name in _names(given):
        if (value := read(name)) is None:
            raise argparse.ArgumentTypeError(f"{name[:80]!r} is not {expected}")
        found.append(value)
    return found


def _whole(given: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,4}", given, re.ASCII) is not None


def _seconds(given: str) -> float:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", given, re.ASCII) is None or not float(given):
        raise argparse.ArgumentTypeError(f"{given[:80]!r} is not a number of seconds above 0")
    return float(given)


def _bytes(given: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,15})([KMGT]?)", given, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError(f"{given[:80]!r} is not a size: 800000, 500M or 2G")
    return int(found[1]) * _UNITS[found[2]]

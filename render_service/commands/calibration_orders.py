"""The arguments of `calibrate`: what they are, and what they ask for.

The rule: what is out of range is refused by its name before anything is measured.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from render_service.composition.model import SizeClass
from render_service.composition.qualities import CALIBRATED
from render_service.errors import InvalidRequest
from render_service.formats import Format
from render_service.rendering.calibration import Asked
from render_service.rendering.targets import TARGETS


class Orders(Struct, frozen=True, kw_only=True):
    """What was asked on the command line.

    Attributes:
        folder: The catalogue; None is the one the settings name.
        compositions: Ids; none means all.
        asked: What to find of each.
        budget_s: Seconds after which no more samples are taken; None takes all.
    """

    folder: Path | None
    compositions: tuple[str, ...]
    asked: Asked
    budget_s: float | None


def add_parser(
    commands_: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> argparse.ArgumentParser:
    """Add `calibrate` to the command line; return its parser."""
    parser = commands_.add_parser(
        "calibrate",
        help="measure the quality that each picture needs, and write encoding.toml",
        description="Draw a sample of every composition, find the quality at which each picture "
        "scores its target on the scale of SSIMULACRA2, and write encoding.toml beside its "
        "composition.toml, whole or not at all. Stopped, it goes on from there when run again.",
        epilog="render-service calibrate compositions --composition solitaire-ring --budget-s 1800",
    )
    parser.add_argument("folder", nargs="?", type=Path, help="the catalogue (compositions)")
    parser.add_argument(
        "--composition", action="append", metavar="ID", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=[str(f) for f in CALIBRATED],
        help="may be repeated (avif and webp)",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="SIZE=SCORE",
        help="of a size class: "
        + ", ".join(f"{size}={score:g}" for size, score in TARGETS.items()),
    )
    _add_amounts(parser)
    return parser


def _add_amounts(parser: argparse.ArgumentParser) -> None:
    """How much is measured."""
    parser.add_argument(
        "--samples",
        default="36",
        metavar="N",
        help="of each view, region and size class (36), of large ones a third",
    )
    parser.add_argument(
        "--held-out", default="60", metavar="N", help="pictures measured to judge the rest (60)"
    )
    parser.add_argument("--seed", default="1", metavar="N", help="of the draw (1)")
    parser.add_argument(
        "--budget-s", metavar="SECONDS", help="take no more samples after this time"
    )


def read_orders(options: argparse.Namespace) -> Orders:
    """Return what the arguments ask for.

    Raises:
        InvalidRequest: One is not understood; names it.
    """
    formats = [Format(f) for f in dict.fromkeys(options.format or ("avif", "webp"))]
    budget_s = options.budget_s
    return Orders(
        folder=options.folder,
        compositions=tuple(dict.fromkeys(options.composition or ())),
        asked=Asked(
            formats=tuple(formats),
            targets=_targets(options.target),
            samples=_number("--samples", options.samples, 1, 10_000),
            held_out=_number("--held-out", options.held_out, 0, 10_000),
            seed=_number("--seed", options.seed, 0, 2**31),
        ),
        budget_s=None if budget_s is None else _number("--budget-s", budget_s, 1, 10**6),
    )


def _targets(given: Sequence[str]) -> dict[SizeClass, float]:
    targets = dict(TARGETS)
    for pair in given:
        size, equals, score = pair.partition("=")
        if not equals or size not in set(SizeClass):
            offered = ", ".join(SizeClass)
            raise InvalidRequest(f"--target {pair!r} is not SIZE=SCORE; sizes: {offered}.")
        targets[SizeClass(size)] = _number(f"--target {size}", score, 30, 95)
    return targets


def _number(name: str, given: str, least: int, most: int) -> int:
    if not (
        given.isascii() and given.isdigit() and len(given) < 12 and least <= int(given) <= most
    ):
        raise InvalidRequest(
            f"{name} is {given[:80]!r}; needed: a whole number from {least} to {most}."
        )
    return int(given)

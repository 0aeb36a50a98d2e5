"""The arguments of `publish`, `releases` and `diff`."""

import argparse
from pathlib import Path

from render_service.commands.difference import Asked, diff
from render_service.commands.publishing import list_releases, publish, publish_again
from render_service.errors import InvalidRequest
from render_service.settings import Settings
from render_service.wiring import catalogue_folder


def add_publish(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `publish`."""
    parser = commands_.add_parser(
        "publish",
        help="make a catalogue live, whole or not at all; or roll back",
        description="Check a catalogue, store what is new of it, and make it live in one step; "
        "servers follow within seconds. A broken one is refused whole and changes nothing.",
        epilog="render-service publish --release 16 makes state 16 live again.",
    )
    parser.add_argument("folder", nargs="?", type=Path, help="the catalogue (compositions)")
    parser.add_argument("--release", metavar="STATE", help="an earlier state, instead of a folder")
    parser.add_argument(
        "--recheck",
        action="store_true",
        help="check again what is published already, and mend what is damaged in the store",
    )
    parser.set_defaults(run=_publish)


def add_releases(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `releases`."""
    parser = commands_.add_parser("releases", help="list what was live, and what is")
    parser.add_argument("--limit", type=count, default=20, help="states, newest first (20)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_releases)


def add_diff(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `diff`."""
    parser = commands_.add_parser(
        "diff",
        help="list the views and keys that change from one catalogue to another",
        description="Compare two catalogues: each the number of a state, `live`, or a folder.",
        epilog="render-service diff live compositions --pictures build/diff",
    )
    parser.add_argument("old", help="STATE, live or FOLDER")
    parser.add_argument("new", help="likewise")
    parser.add_argument("--keys", action="store_true", help="list every key that changes")
    parser.add_argument("--limit", type=count, default=1000, help="the most keys listed (1000)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write a sample, to see it")
    parser.add_argument("--width", type=count, default=480, help="of each picture, pixels (480)")
    parser.add_argument("--sample", type=count, default=24, help="the most pictures drawn (24)")
    parser.set_defaults(run=_diff)


def count(given: str) -> int:
    """A number of at least 1, as argparse asks for it."""
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and int(given)):
        raise argparse.ArgumentTypeError(f"{given[:80]!r} is not a number of at least 1")
    return int(given)


def _publish(options: argparse.Namespace, settings: Settings) -> int:
    if options.release is not None:
        if options.folder is not None or options.recheck:
            raise InvalidRequest("--release publishes what is stored: without folder or --recheck.")
        return publish_again(settings, options.release)
    folder = options.folder or catalogue_folder(settings)
    return publish(settings, folder, recheck=options.recheck)


def _diff(options: argparse.Namespace, settings: Settings) -> int:
    asked = Asked(
        old=options.old,
        new=options.new,
        keys=options.keys,
        limit=options.limit,
        as_json=options.json,
        pictures=options.pictures,
        width_px=options.width,
        sample=options.sample,
    )
    return diff(settings, asked)


def _releases(options: argparse.Namespace, settings: Settings) -> int:
    return list_releases(settings, limit=options.limit, as_json=options.json)

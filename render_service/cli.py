"""The command line: `render-service COMMAND`.

Each command reads the settings, does one thing through the same library the server uses, and says
on standard error what went wrong and what would be right. Exit status: 0 done, 1 it failed,
2 the command was not understood.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from render_service.commands.calibrating import calibrate
from render_service.commands.calibration_orders import add_parser, read_orders
from render_service.commands.catalogues import check
from render_service.commands.database_arguments import add_migrate, add_products
from render_service.commands.job_arguments import add_jobs
from render_service.commands.key_arguments import add_keys
from render_service.commands.listing import list_settings
from render_service.commands.pictures import render, sheet
from render_service.commands.release_arguments import add_diff, add_publish, add_releases
from render_service.commands.warm_arguments import add_warm
from render_service.environment import read_settings
from render_service.errors import (
    DatabaseUnavailable,
    InvalidSetting,
    RenderServiceError,
)
from render_service.formats import Format
from render_service.settings import EMBEDDED, Settings
from render_service.supply import try_supply
from render_service.wiring import (
    build_signer,
    build_tokens,
    catalogue_folder,
    try_data_folder,
    try_selling,
)

_SELECTION = "option=value, e.g. metal=rose-gold-18k gem=ruby; the rest keeps its default"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (by default those of the process) name.

    Returns:
        The exit status.
    """
    options = build_parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        status: int = options.run(options, settings)
    except InvalidSetting as error:
        print(error, file=sys.stderr)
        return 1
    except DatabaseUnavailable as error:
        print(f"render-service {options.command}: {error} {error.reason}", file=sys.stderr)
        return 1
    except RenderServiceError as error:
        print(f"render-service {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="render-service",
        description="Composes jewellery configurations and serves them as immutable pictures.",
        epilog="Settings are RENDER_… variables: `render-service settings` lists them.",
    )
    commands_ = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands_)
    _add_work(commands_)
    add_publish(commands_)
    add_releases(commands_)
    add_diff(commands_)
    _add_render(commands_)
    add_warm(commands_)
    _add_check(commands_)
    add_parser(commands_).set_defaults(run=_calibrate)
    _add_sheet(commands_)
    add_keys(commands_)
    add_migrate(commands_)
    add_products(commands_)
    add_jobs(commands_)
    settings = commands_.add_parser(
        "settings", help="list every setting, its value now, range and meaning"
    )
    settings.set_defaults(run=_settings)
    return parser


def _add_serve(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands_.add_parser(
        "serve",
        help="serve pictures and the API over HTTP",
        description="Serve the live release over HTTP until SIGTERM or Ctrl-C; requests under way "
        "are finished first. What is published meanwhile is served within seconds.",
        epilog="RENDER_CATALOGUE=FOLDER render-service serve shows a folder as it stands.",
    )
    serve.set_defaults(run=_serve)


def _add_work(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    work = commands_.add_parser(
        "work",
        help="do background work",
        description="Do the jobs that are ordered, until SIGTERM or Ctrl-C; those under way are "
        "finished first, or given back. Any number of processes share the work. `serve` with an "
        "embedded database runs one itself.",
    )
    work.set_defaults(run=_work)


def _add_render(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands_.add_parser(
        "render",
        help="make one picture and write it to a file, without a server",
        description="Make one picture: of a composition and view, of a URL path, or of a plan.",
        epilog="render-service render solitaire-ring hero metal=platinum-950 gem=ruby -o ring.avif",
    )
    parser.add_argument(
        "subject", nargs="*", metavar="COMPOSITION VIEW [OPTION=VALUE …] | /r/PATH", help=_SELECTION
    )
    parser.add_argument("-o", "--output", required=True, help="file to write; - is standard output")
    parser.add_argument("--width", type=int, help="pixels, from the ladder (at most 800)")
    parser.add_argument("--format", choices=[str(f) for f in Format], help="else by the file name")
    parser.add_argument("--plan", type=Path, help="draw this plan, as `explain` shows it or saved")
    parser.add_argument("--save-plan", type=Path, help="also write the plan, to draw it again")
    parser.set_defaults(run=_render)


def _add_check(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands_.add_parser(
        "check",
        help="try every file and every combination of a catalogue",
        description="Read a catalogue, decode every layer file, draw every combination, and list "
        "every fault. Exit status 1 if there is one.",
    )
    parser.add_argument("catalogue", nargs="*", type=Path, help="folders (compositions)")
    parser.set_defaults(run=_check)


def _add_sheet(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands_.add_parser(
        "sheet",
        help="draw a contact sheet: one option across, another down",
        epilog="render-service sheet solitaire-ring hero --down metal --across gem -o sheet.jpg",
    )
    parser.add_argument("composition")
    parser.add_argument("view", help="VIEW or VIEW:REGION")
    parser.add_argument("selection", nargs="*", metavar="OPTION=VALUE", help=_SELECTION)
    parser.add_argument("--down", required=True, metavar="OPTION", help="one row for each value")
    parser.add_argument("--across", required=True, metavar="OPTION", help="one column for each")
    parser.add_argument("--width", type=int, default=240, help="of each picture, pixels (240)")
    parser.add_argument("-o", "--output", required=True, help="file to write")
    parser.set_defaults(run=_sheet)


def _work(_: argparse.Namespace, settings: Settings) -> int:
    # Here, because nothing else needs the queue.
    from render_service.workers.runner import work

    return work(settings)


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    # Here, because Litestar takes half a second to import and no other command needs it.
    from render_service.http.server import serve

    # Tried here too: a worker that cannot start would be started again for ever.
    try_supply(settings)
    build_signer(settings)
    build_tokens(settings)
    if settings.database_url != EMBEDDED:
        try_selling(settings)
    try_data_folder(settings)
    serve(settings)
    return 0


def _render(options: argparse.Namespace, settings: Settings) -> int:
    return render(
        settings,
        subject=options.subject,
        plan_file=options.plan,
        width_px=options.width,
        file_format=Format(options.format) if options.format else None,
        output=options.output,
        save_plan=options.save_plan,
    )


def _check(options: argparse.Namespace, settings: Settings) -> int:
    return check(settings, options.catalogue or [catalogue_folder(settings)])


def _calibrate(options: argparse.Namespace, settings: Settings) -> int:
    return calibrate(settings, read_orders(options))


def _sheet(options: argparse.Namespace, settings: Settings) -> int:
    return sheet(
        settings,
        composition=options.composition,
        view=options.view,
        selection=options.selection,
        down=options.down,
        across=options.across,
        width_px=options.width,
        output=options.output,
    )


def _settings(options: argparse.Namespace, settings: Settings) -> int:
    return list_settings(settings)

"""The arguments of `migrate` and `products`: what works on the database."""

import argparse
import sys
from pathlib import Path

from render_service.commands.migrating import bring_up_to_date
from render_service.commands.products import FORMATS, export_products, import_products


def add_migrate(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `migrate`."""
    parser = commands_.add_parser(
        "migrate",
        help="bring the database up to date",
        description="Apply the migrations that RENDER_DATABASE_URL lacks, each whole or not at "
        "all. Safe to run from several machines at once; `serve` does it for an embedded one.",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if behind")
    parser.set_defaults(
        run=lambda options, settings: bring_up_to_date(settings, only_check=options.check)
    )


def add_products(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `products`."""
    parser = commands_.add_parser(
        "products",
        help="write products and rates into the database",
        description="Products that are sold, and the rates they are priced by.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    import_ = actions.add_parser(
        "import",
        help="write those of a folder or file, all or none",
        description="Check every product of FOLDER (a .json file each) or of a .csv or .jsonl file "
        "(a row each) against the live catalogue, and the rates of rates.json, and write all of "
        "them in one step. A product that is there is replaced, and so are all rates of the keys "
        "in rates.json; the rest is left alone.",
    )
    import_.add_argument("folder", type=Path, metavar="FOLDER")
    import_.add_argument(
        "--if-empty", action="store_true", help="do nothing where there are products or rates"
    )
    import_.set_defaults(
        run=lambda options, settings: import_products(
            settings, options.folder, if_empty=options.if_empty
        )
    )
    export = actions.add_parser(
        "export",
        help="write all of them to standard output",
        description="Write every product, drafts and the archive too, as rows that `import` makes "
        "the same of.",
    )
    export.add_argument("--format", choices=("ndjson", "csv"), default="ndjson")
    export.set_defaults(
        run=lambda options, settings: export_products(
            settings, FORMATS[f".{options.format}"], sys.stdout.buffer
        )
    )

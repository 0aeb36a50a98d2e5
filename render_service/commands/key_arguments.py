"""The arguments of `keys`."""

import argparse

from render_service.commands.keys import make, sign


def add_keys(commands_: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `keys`."""
    parser = commands_.add_parser(
        "keys",
        help="make keys, and sign addresses with them",
        description="Keys for addresses of what is not offered to everybody (RENDER_SIGNING_KEYS).",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = actions.add_parser("make", help="print a new key for RENDER_SIGNING_KEYS")
    made.set_defaults(run=lambda options, settings: make())
    signed = actions.add_parser(
        "sign",
        help="print an address, signed",
        epilog="render-service keys sign /iiif/3/…/0,0,600,600/300,/0/default.webp --expires 1h",
    )
    signed.add_argument("url", metavar="URL", help="an address or a path under /iiif/3/")
    signed.add_argument(
        "--expires", metavar="TIME", help="90s, 15m, 1h, 30d, rounded up to 5 minutes (never)"
    )
    signed.set_defaults(run=lambda options, settings: sign(settings, options.url, options.expires))

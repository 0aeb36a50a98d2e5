"""The arguments of `keys`."""

import argparse

from render_service.auth.scopes import Scope
from render_service.commands.keys import make, make_token, sign


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
    token = actions.add_parser(
        "token",
        help="print a new API token for RENDER_API_TOKENS",
        description="A program that presents the token (`Authorization: Bearer …`) may do all; "
        "with --scope, that alone.",
        epilog="render-service keys token erp --scope catalogue:write --scope jobs:read",
    )
    token.add_argument("name", help="whose it is: letters, digits and `-`")
    token.add_argument(
        "--scope", action="append", choices=list(Scope), default=[], help="may be repeated (all)"
    )
    token.set_defaults(run=lambda options, settings: make_token(options.name, options.scope))
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

"""`keys`: keys for signed addresses, addresses signed with them, and API tokens."""

import re
import sys
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from render_service.adapters.own_key import new_key
from render_service.auth.tokens import new_token, parse_tokens, spell_token
from render_service.errors import InvalidRequest
from render_service.planning.iiif import IIIF_PREFIX, parse_identifier, parse_image_request
from render_service.settings import Settings
from render_service.wiring import build_signer

_UNITS_S: Final = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_SAFE: Final = "/~:=,;!.-"
"""What our paths hold beside letters and digits, and no URL needs encoded; `^` it does."""


def make() -> int:
    """Print a new key, as the setting takes it; return the exit status."""
    print(new_key())
    if sys.stderr.isatty():
        print(
            "Keep it secret: RENDER_SIGNING_KEYS=<this key>. To exchange keys put the new one "
            "first, `new,old`, and drop the old one when what it signed has expired.",
            file=sys.stderr,
        )
    return 0


def make_token(name: str, scopes: Sequence[str]) -> int:
    """Print a new API token, as the setting takes it; return the exit status.

    Args:
        name: Whose it is.
        scopes: What it may do; none is all.

    Raises:
        InvalidSetting: The name is none.
    """
    token = new_token()
    made = ":".join(filter(None, (spell_token(name, token), "+".join(scopes))))
    parse_tokens(made)
    print(made)
    if sys.stderr.isatty():
        print(
            f"Keep it secret. RENDER_API_TOKENS=<this>, joined to others by a comma; the program "
            f"presents what stands behind `{name}:`" + (", without the scopes." if scopes else "."),
            file=sys.stderr,
        )
    return 0


def sign(settings: Settings, url: str, expires: str | None) -> int:
    """Print `url` signed with the first key; return the exit status.

    Args:
        settings: With the keys.
        url: An address or a path of an image, without a query.
        expires: A whole number and `s`, `m`, `h` or `d`; None is for ever.

    Raises:
        InvalidRequest: The address is none that is signed, or the time is none.
        InvalidSetting: There is no key.
    """
    parts = urlsplit(url)
    # What the public address has before our paths, a proxy takes off again.
    before = urlsplit(settings.public_url).path
    path = unquote(parts.path)
    if before and path.startswith(before + IIIF_PREFIX):
        path = path.removeprefix(before)
    else:
        before = ""
    if parts.query or parts.fragment:
        raise InvalidRequest(
            "The address already has a query; a signed one has its signature alone."
        )
    _check_path(path)
    expires_s = None if expires is None else int(time.time()) + parse_duration(expires)
    query = build_signer(settings).sign(path, expires_s=expires_s)
    print(urlunsplit((parts.scheme, parts.netloc, quote(before + path, safe=_SAFE), query, "")))
    return 0


def parse_duration(text: str) -> int:
    """Return the seconds that `text` says, e.g. `90s`, `15m`, `1h`, `30d`.

    Raises:
        InvalidRequest: It says none, or more than 9999 of a unit.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,3})([smhd])", text, re.ASCII)
    if match is None:
        raise InvalidRequest(
            f"--expires is {text[:40]!r}; needed: 1 to 9999 and s, m, h or d, e.g. 15m, 1h, 30d."
        )
    return int(match[1]) * _UNITS_S[match[2]]


def _check_path(path: str) -> None:
    """Refuse what the service would refuse however well it is signed.

    Raises:
        InvalidRequest: It is no path of an image; says which part.
        UnknownIdentifier: Its identifier is none.
    """
    segments = path.removeprefix(IIIF_PREFIX).split("/")
    if not path.startswith(IIIF_PREFIX) or len(segments) != 5:
        raise InvalidRequest(
            f"What is signed is {IIIF_PREFIX}{{identifier}}/{{region}}/{{size}}/{{rotation}}/"
            f"{{quality}}.{{format}}; given {path[:80]!r}."
        )
    parse_identifier(segments[0])
    parse_image_request(segments[1:])

"""API tokens of the setting RENDER_API_TOKENS: programs that may write.

The rule: a token is found by its digest, never compared byte by byte, and nothing here shows one.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from render_service.auth.scopes import Caller, Scope
from render_service.errors import InvalidSetting

TOKEN_BYTES: Final = 32
"""Of a token, at random: nobody guesses it, so its digest needs no salt and no slowness."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43,128}", re.ASCII)


class ApiToken(Struct, frozen=True, kw_only=True):
    """What is known of a token.

    Attributes:
        digest: SHA-256 of what the caller presents.
        caller: Who that is.
    """

    digest: bytes
    caller: Caller


class Tokens:
    """Who presents which token.

    Args:
        tokens: As `parse_tokens` returns them; none lets nobody in.
    """

    def __init__(self, tokens: Iterable[ApiToken]) -> None:
        self._callers: Mapping[bytes, Caller] = {one.digest: one.caller for one in tokens}

    def find(self, presented: str) -> Caller | None:
        """Return whose token it is; None where it is nobody's."""
        return self._callers.get(_digest(presented))


def new_token() -> str:
    """Return a new token, as a caller presents it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def spell_token(name: str, token: str) -> str:
    """Return a token of all rights, as the setting takes it."""
    return f"{name}:{token}"


def parse_tokens(text: str) -> tuple[ApiToken, ...]:
    """Return the tokens in `text`: `name:token[:scope+scope]` joined by commas.

    Raises:
        InvalidSetting: It is not of that form; it says what of it, and never shows it.
    """
    tokens = tuple(_parse(number, part) for number, part in enumerate(text.split(","), 1) if text)
    if len({token.caller.name for token in tokens}) < len(tokens):
        raise _invalid("gives two tokens one name")
    if len({token.digest for token in tokens}) < len(tokens):
        raise _invalid("holds one token twice")
    return tokens


def _parse(number: int, part: str) -> ApiToken:
    name, _, rest = part.partition(":")
    secret, colon, scopes = rest.partition(":")
    if _NAME.fullmatch(name) is None:
        raise _invalid(
            f"does not begin token {number} with a name of lower-case letters, digits and `-`, "
            "at most 32, and `:`"
        )
    if _SECRET.fullmatch(secret) is None:
        raise _invalid(f"has a token {number} that is not 43 to 128 characters of base64url")
    return ApiToken(
        digest=_digest(secret),
        caller=Caller(name=name, scopes=_scopes(number, scopes) if colon else frozenset(Scope)),
    )


def _scopes(number: int, text: str) -> frozenset[Scope]:
    try:
        return frozenset(Scope(one) for one in text.split("+"))
    except ValueError:
        raise _invalid(
            f"gives token {number} a scope that is none; scopes: {', '.join(Scope)}"
        ) from None


def _digest(presented: str) -> bytes:
    return hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest()


def _invalid(found: str) -> InvalidSetting:
    return InvalidSetting(
        f"RENDER_API_TOKENS {found}; needed: `name:token` or `name:token:scope+scope`, joined by "
        "commas; `render-service keys token NAME` makes one. The value is not shown."
    )

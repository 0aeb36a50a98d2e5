"""Who calls: a bearer token (RFC 6750) → a `Caller`, and the guards that routes name.

The rule: a token that is presented and not known is refused wherever somebody looks who calls; it
is never taken for nobody's.
"""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from render_service.auth.scopes import NOBODY, Caller, Scope
from render_service.auth.tokens import Tokens
from render_service.errors import NotSignedIn, ScopeMissing

TOKENS: Final = "tokens"
"""Where the application's state keeps the `Tokens`."""

_Connection = ASGIConnection[Any, Any, Any, Any]


def requires(scope: Scope) -> Guard:
    """Return the guard of a route that needs `scope`.

    The guard raises:
        NotSignedIn: The caller does not say who they are, or with a token that is not known.
        ScopeMissing: They may not.
    """

    def guard(connection: _Connection, _: BaseRouteHandler) -> None:
        check(caller_of(connection), scope)

    return guard


def check(caller: Caller, scope: Scope) -> None:
    """Refuse who may not.

    Raises:
        NotSignedIn: It is nobody.
        ScopeMissing: They may not.
    """
    if caller is NOBODY:
        raise NotSignedIn(given=False)
    if not caller.may(scope):
        raise ScopeMissing(caller.name, scope, sorted(caller.scopes))


def caller_of(connection: _Connection) -> Caller:
    """Return who calls; `NOBODY` where no token is presented.

    Raises:
        NotSignedIn: What is presented is no token of anybody's.
    """
    presented = connection.headers.getall("authorization", [])
    if not presented:
        return NOBODY
    kind, _, token = presented[0].strip().partition(" ")
    tokens: Tokens = connection.app.state[TOKENS]
    found = tokens.find(token.strip()) if kind.lower() == "bearer" else None
    if found is None or len(presented) > 1:
        raise NotSignedIn(given=True)
    return found

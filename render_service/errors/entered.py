"""Errors of who calls: nobody knows them, or they may not."""

from collections.abc import Sequence

from render_service.errors.root import RenderServiceError


class NotSignedIn(RenderServiceError):
    """Who calls does not say who they are, or with a token that nobody has.

    Attributes:
        given: Whether they presented something.
    """

    def __init__(self, *, given: bool) -> None:
        super().__init__(
            "The token that was presented is nobody's."
            if given
            else "This is not for everybody: present a token, `Authorization: Bearer …`."
        )
        self.given = given


class ScopeMissing(RenderServiceError):
    """Who calls is known, and may not do this.

    Attributes:
        scope: The right that is needed.
    """

    def __init__(self, name: str, scope: str, held: Sequence[str]) -> None:
        super().__init__(
            f"{name} may not do this: it needs the scope {scope}; held: "
            f"{', '.join(held) or 'none'}.",
            scope=scope,
            held=list(held),
        )
        self.scope = scope

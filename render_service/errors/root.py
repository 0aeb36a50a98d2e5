"""The root of the tree of errors: what every error carries."""

from collections.abc import Mapping


class RenderServiceError(Exception):
    """The root of the tree. `str(error)` says what happened, and what would have been right.

    Attributes:
        facts: What a program can use: JSON-ready members of the problem document.
    """

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.facts: Mapping[str, object] = facts

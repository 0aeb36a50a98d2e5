"""Errors of who asks: the spelling is wrong, the thing is not there, or it is not made that way.

What was given is repeated at most 200 characters long, and what is offered is listed.
"""

from collections.abc import Mapping, Sequence

from render_service.errors.root import RenderServiceError


class InvalidRequest(RenderServiceError):
    """The request is malformed whatever the catalogue holds."""


class MalformedPath(InvalidRequest):
    """A path that is not of the documented form."""

    def __init__(self, part: str, given: str, expected: str) -> None:
        super().__init__(
            f"The path's {part} is {_quote(given)}; expected {expected}.",
            part=part,
            given=given[:200],
            expected=expected,
        )


class WidthNotOffered(InvalidRequest):
    """A width that is off the ladder, or wider than the view."""

    def __init__(self, given: str, offered: Sequence[int]) -> None:
        listed = ", ".join(map(str, offered))
        super().__init__(
            f"The width {_quote(given)} is not offered; widths in pixels: {listed}.",
            width=given[:200],
            offered=list(offered),
        )


class FormatNotOffered(InvalidRequest):
    """A file extension that names no format of ours."""

    def __init__(self, given: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"The extension {_quote(given)} is not offered; extensions: {', '.join(offered)}.",
            extension=given[:200],
            offered=list(offered),
        )


class UnknownQueryKey(InvalidRequest):
    """A query key that the route does not take."""

    def __init__(self, key: str, offered: Sequence[str]) -> None:
        known = ", ".join(offered) if offered else "none"
        super().__init__(
            f"The query key {_quote(key)} is not known; keys taken here: {known}.",
            key=key[:200],
            offered=list(offered),
        )


class InvalidBody(InvalidRequest):
    """A request body that is not the JSON the route takes."""


class NotFound(RenderServiceError):
    """The catalogue has no such thing."""


class UnknownComposition(NotFound):
    """A composition that is not in the catalogue."""

    def __init__(self, composition: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"There is no composition {_quote(composition)}; {_some(offered, 'compositions')}.",
            composition=composition[:200],
            offered=list(offered[:20]),
        )


class UnknownView(NotFound):
    """A view, or a region of a view, that the composition does not have."""

    def __init__(self, composition: str, view: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"{composition} has no view {_quote(view)}; {_some(offered, 'views and regions')}.",
            view=view[:200],
            offered=list(offered),
        )


class UnknownVersion(NotFound):
    """A version of a view that was never published, or is no longer held."""

    def __init__(self, view: str, version: str, current: str) -> None:
        super().__init__(
            f"The view {view} has no version {_quote(version)}; its current one is {current}.",
            version=version[:200],
            current=current,
        )


class UnknownIdentifier(NotFound):
    """An IIIF identifier that names nothing."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"There is no image {_quote(given)}; an identifier is "
            "{composition}~{view}~{version}~{configuration}, as `resolve` hands it out.",
            identifier=given[:200],
        )


class NotAllowed(RenderServiceError):
    """What is asked for is not for everybody."""


class SignatureNeeded(NotAllowed):
    """A picture that is well asked for and not among those offered to everybody."""

    def __init__(self) -> None:
        super().__init__(
            "This picture is not one of the sizes and tiles that info.json announces; any other "
            "needs a signed address."
        )


class BadSignature(NotAllowed):
    """A signed address whose signature does not hold for it."""

    def __init__(self) -> None:
        super().__init__("The signature of this address does not hold for it.")


class ExpiredSignature(NotAllowed):
    """A signed address whose time is over."""

    def __init__(self) -> None:
        super().__init__("The signature of this address has expired; ask for a new one.")


class InvalidSelection(RenderServiceError):
    """The composition cannot be configured that way."""


class UnknownOption(InvalidSelection):
    """An option that the composition does not have."""

    def __init__(self, composition: str, option: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"{composition} has no option {_quote(option)}; {_some(offered, 'options')}.",
            option=option[:200],
            offered=list(offered),
        )


class UnknownValue(InvalidSelection):
    """A value that an option does not offer."""

    def __init__(self, option: str, value: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"The option {option} has no value {_quote(value)}; {_some(offered, 'values')}.",
            option=option,
            value=value[:200],
            offered=list(offered),
        )


class ForbiddenConfiguration(InvalidSelection):
    """A configuration that rules of the composition forbid.

    Args:
        conflicts: For each rule broken: the option values it forbids together, and its reason.
        nearest: The valid configuration that changes the fewest options, or None.
    """

    def __init__(
        self,
        conflicts: Sequence[tuple[Mapping[str, str], str]],
        nearest: Mapping[str, str] | None,
    ) -> None:
        reasons = " ".join(reason for _, reason in conflicts)
        named = ", ".join(f"{k}={v}" for k, v in nearest.items()) if nearest else ""
        super().__init__(
            f"This configuration is not made: {reasons}" + (f" Nearest: {named}." if named else ""),
            conflicts=[{"all": dict(values), "reason": reason} for values, reason in conflicts],
            nearest=dict(nearest) if nearest else None,
        )


class AlphaNotOffered(InvalidSelection):
    """A transparent background in a format that has no alpha channel."""

    def __init__(self, extension: str, offered: Sequence[str]) -> None:
        super().__init__(
            f"{extension} has no transparency; take {', '.join(offered)}, or another background.",
            extension=extension,
            offered=list(offered),
        )


def _quote(given: str) -> str:
    """`given` for a message: quoted, escaped and at most 80 characters long."""
    text = given if len(given) <= 80 else given[:77] + "..."
    return repr(text)


def _some(offered: Sequence[str], what: str) -> str:
    """At most 20 of what is on offer, as the end of a sentence."""
    if not offered:
        return f"it has no {what}"
    more = f" and {len(offered) - 20} more" if len(offered) > 20 else ""
    return f"{what}: {', '.join(offered[:20])}{more}"

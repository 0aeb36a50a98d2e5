"""Every failure the service can name, as one tree; nothing here knows HTTP.

RenderServiceError
├── InvalidRequest                the caller's spelling is wrong, whatever the catalogue holds
│   ├── MalformedPath
│   ├── WidthNotOffered
│   ├── FormatNotOffered
│   ├── UnknownQueryKey
│   └── InvalidBody
├── NotFound                      well spelled, but the catalogue has no such thing
│   ├── UnknownComposition
│   ├── UnknownView
│   └── UnknownVersion
├── InvalidSelection              the composition cannot be configured that way
│   ├── UnknownOption
│   ├── UnknownValue
│   ├── ForbiddenConfiguration
│   └── AlphaNotOffered
├── AssetFailure                  a layer's file cannot be used
│   ├── AssetMissing
│   ├── AssetUndecodable
│   └── AssetTooLarge
├── Overloaded                    the bounded queue is full
├── RenderFailed                  drawing or encoding failed for a reason of our own
├── TierUnavailable               a store of renditions could not be asked; callers see a miss
├── InvalidCatalogue              a definition folder is broken; carries every fault found
├── InvalidPlan                   a plan read from a file is not one this release can draw
└── InvalidSetting                an environment variable is unknown or out of range

An error names the fact, carries its data as attributes, and says what would have been right.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class RenderServiceError(Exception):
    """The root of the tree. `str(error)` says what happened, and what would have been right.

    Attributes:
        facts: What a program can use: JSON-ready members of the problem document.
    """

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.facts: Mapping[str, object] = facts


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


class AssetFailure(RenderServiceError):
    """A layer's file cannot be used.

    Attributes:
        asset: Its name, or its digest where the name is not known.
        reason: What was found, and what is needed.
    """

    def __init__(self, asset: str, reason: str) -> None:
        super().__init__(f"The layer file {asset} {reason}.", asset=asset)
        self.asset, self.reason = asset, reason


class AssetMissing(AssetFailure):
    """A layer's file is not in the store."""


class AssetUndecodable(AssetFailure):
    """A layer's file is not a picture of the kind its layer needs."""


class AssetTooLarge(AssetFailure):
    """A layer's file is over a limit on bytes or pixels, found before decoding it."""


class Overloaded(RenderServiceError):
    """The bounded queue is full; nothing was begun.

    Attributes:
        retry_after_s: Seconds after which a place is likely.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"Every place to render is taken; try again in {retry_after_s} s.",
            retry_after_s=retry_after_s,
        )
        self.retry_after_s = retry_after_s


class RenderFailed(RenderServiceError):
    """Drawing or encoding failed for a reason of our own."""


class TierUnavailable(RenderServiceError):
    """A store of renditions could not be asked. Callers treat it as a miss."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong with a catalogue.

    Attributes:
        file: The file, relative to the catalogue.
        table: The table in it, as written there, e.g. `views.hero.layers[2]`; "" is the top level.
        key: The key in the table; "" is the table itself.
        problem: What was found, and what would be right.
    """

    file: str
    table: str
    key: str
    problem: str

    def __str__(self) -> str:
        place = " ".join(
            part for part in (f"[{self.table}]" if self.table else "", self.key) if part
        )
        return f"{self.file}: {place + ': ' if place else ''}{self.problem}"


class InvalidCatalogue(RenderServiceError):
    """A catalogue is broken; carries every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class InvalidPlan(RenderServiceError):
    """A plan read from a file is not one this release can draw."""


class InvalidSetting(RenderServiceError):
    """An environment variable is unknown, or its value is out of range."""


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

"""Composition × selection → configuration: defaults filled, rules checked, the nearest valid found.

A configuration has a value for every option. A picture needs only the options its view depends on,
so a view's configuration is checked against the rules that lie wholly within the view.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product

from msgspec import Struct

from render_service.composition.model import Composition, Rule, View, satisfied
from render_service.errors import ForbiddenConfiguration, UnknownOption, UnknownValue

_CANDIDATES_MAX = 20_000
"""Configurations looked at for the nearest valid one: it bounds the work of a request."""

_BESIDE_MAX = 200
"""The same for one change of many: rules that need more than two options to give way are rare."""


class Conflict(Struct, frozen=True, kw_only=True):
    """A rule that a configuration breaks: the values of it that may not meet, and why."""

    all: Mapping[str, str]
    reason: str


class Resolution(Struct, frozen=True, kw_only=True):
    """What a selection comes to.

    Attributes:
        configuration: Every option's value, in the order of the definition.
        conflicts: The rules it breaks; empty when it is valid.
        nearest: The valid configuration that changes the fewest options, those left to their
            defaults before those selected; None where it is valid, or none was found.
    """

    configuration: Mapping[str, str]
    conflicts: tuple[Conflict, ...]
    nearest: Mapping[str, str] | None

    @property
    def valid(self) -> bool:
        """Whether the configuration breaks no rule."""
        return not self.conflicts


def resolve(composition: Composition, selection: Mapping[str, str]) -> Resolution:
    """Return what `selection` comes to: defaults filled, rules checked.

    Raises:
        UnknownOption: The composition has no such option.
        UnknownValue: The option has no such value.
    """
    check_names(composition, selection)
    configuration = {**composition.defaults, **selection}
    conflicts = _conflicts(composition.rules, configuration)
    nearest = (
        _nearest(composition.rules, composition, configuration, selection) if conflicts else None
    )
    return Resolution(configuration=configuration, conflicts=conflicts, nearest=nearest)


def resolve_view(
    composition: Composition, view: View, selection: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of the options that `view` depends on, in order: the part URLs carry.

    Options that the view does not show are checked by name and then left out, so they can neither
    change its pictures nor forbid them.

    Raises:
        UnknownOption: The composition has no such option.
        UnknownValue: The option has no such value.
        ForbiddenConfiguration: The view's own options break a rule.
    """
    check_names(composition, selection)
    configuration = {
        option: selection.get(option, composition.options[option].default)
        for option in view.options
    }
    rules = rules_within(composition, view)
    if conflicts := _conflicts(rules, configuration):
        nearest = _nearest(rules, composition, configuration, selection)
        raise ForbiddenConfiguration([(c.all, c.reason) for c in conflicts], nearest)
    return configuration


def forbids(composition: Composition, configuration: Mapping[str, str]) -> bool:
    """Return whether a rule that lies wholly within the options of `configuration` forbids it."""
    return any(
        satisfied(rule.all, configuration) for rule in rules_among(composition, configuration)
    )


def change_option(
    composition: Composition, configuration: Mapping[str, str], option: str, value: str
) -> dict[str, str] | None:
    """Return what `configuration` becomes by one change: the nearest that is made and keeps it.

    Only rules within the options of `configuration` count. None where nothing near keeps it.
    """
    rules = rules_among(composition, configuration)
    wanted = {**configuration, option: value}
    if not any(satisfied(rule.all, wanted) for rule in rules):
        return wanted
    nearest = _nearest(rules, composition, wanted, {option: value}, candidates_max=_BESIDE_MAX)
    return nearest if nearest is not None and nearest[option] == value else None


def rules_among(composition: Composition, options: Collection[str]) -> tuple[Rule, ...]:
    """Return the rules whose options are all among `options`."""
    named = set(options)
    return tuple(rule for rule in composition.rules if named.issuperset(rule.all))


def rules_within(composition: Composition, view: View) -> tuple[Rule, ...]:
    """Return the rules whose options the view all shows."""
    return rules_among(composition, view.options)


def valid_configurations(
    composition: Composition, options: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Yield every combination of values of `options` that no rule within them forbids."""
    rules = rules_among(composition, options)
    for values in product(*(composition.options[option].ids for option in options)):
        configuration = dict(zip(options, values, strict=True))
        if not any(satisfied(rule.all, configuration) for rule in rules):
            yield configuration


def check_names(composition: Composition, selection: Mapping[str, str]) -> None:
    """Refuse a selection that names an option or a value which is not there.

    Raises:
        UnknownOption: The composition has no such option.
        UnknownValue: The option has no such value.
    """
    for option, value in selection.items():
        known = composition.options.get(option)
        if known is None:
            raise UnknownOption(composition.id, option, tuple(composition.options))
        if value not in known.ids:
            raise UnknownValue(option, value, known.ids)


def _conflicts(rules: Iterable[Rule], configuration: Mapping[str, str]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(all={option: configuration[option] for option in rule.all}, reason=rule.reason)
        for rule in rules
        if satisfied(rule.all, configuration)
    )


def _nearest(
    rules: Sequence[Rule],
    composition: Composition,
    configuration: dict[str, str],
    selection: Mapping[str, str],
    *,
    candidates_max: int = _CANDIDATES_MAX,
) -> dict[str, str] | None:
    """Return the valid configuration with the fewest changes, found breadth first.

    Only options of a broken rule need to change, so each step branches over those alone.
    """
    frontier = [configuration]
    seen = {tuple(configuration.items())}
    while frontier:
        following: list[dict[str, str]] = []
        for candidate in frontier:
            for changed in _steps(rules, composition, configuration, candidate, selection):
                if not any(satisfied(rule.all, changed) for rule in rules):
                    return changed
                mark = tuple(changed.items())
                if mark not in seen:
                    seen.add(mark)
                    following.append(changed)
                if len(seen) > candidates_max:
                    return None
        frontier = following
    return None


def _steps(
    rules: Sequence[Rule],
    composition: Composition,
    asked: Mapping[str, str],
    candidate: dict[str, str],
    selection: Mapping[str, str],
) -> Iterator[dict[str, str]]:
    """Yield `candidate` with one option of its first broken rule changed, defaults first."""
    broken = next(rule for rule in rules if satisfied(rule.all, candidate))
    open_options = [option for option in broken.all if candidate[option] == asked[option]]
    for option in sorted(open_options, key=lambda o: o in selection):
        for value in composition.options[option].ids:
            if value not in broken.all[option]:
                yield {**candidate, option: value}

"""The environment → Settings, and back.

Nothing is guessed: a variable that is unknown, unreadable or out of range stops the start.
"""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from render_service.errors import InvalidSetting
from render_service.knobs import Knob
from render_service.settings import Settings

PREFIX: Final = "RENDER_"
# Kubernetes sets RENDER_SERVICE_HOST and the like in every pod beside a Service of our name.
_NOT_OURS: Final = PREFIX + "SERVICE_"
STANDARD: Final = {
    "DATABASE_URL": "database_url",
    "DATABASE_REPLICA_URL": "database_replica_url",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "otlp_endpoint",
    "OTEL_TRACES_SAMPLER_ARG": "trace_ratio",
}
"""Variables of everybody's that say what some of ours do: read where ours is not given. Of those of
OpenTelemetry, what says how to reach a collector is its SDK's; docs/observability.md."""

_HIDDEN: Final = "(set; not shown)"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings that `environ` names; what it does not name has its default.

    Raises:
        InvalidSetting: Some `RENDER_` variable is unknown, unreadable or out of range; the message
            lists all such variables, one a line.
    """
    knobs = {variable_of(name): (name, knob) for name, knob in declared_knobs()}
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable in sorted(filter(_is_ours, environ)):
        if variable not in knobs:
            faults.append(_unknown(variable, list(knobs)))
            continue
        name, knob = knobs[variable]
        try:
            values[name] = knob.parse(environ[variable])
        except ValueError:
            faults.append(_refused(variable, knob, environ[variable]))
    for variable, name in _standard(environ):
        knob = knobs[variable_of(name)][1]
        try:
            values.setdefault(name, knob.parse(environ[variable].rstrip("/")))
        except ValueError:
            faults.append(_refused(variable, knob, environ[variable]))
    if faults:
        raise InvalidSetting("\n".join(faults))
    return Settings(**values)


def _standard(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables of the standard that count, and the settings they stand for."""
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    for variable, name in STANDARD.items():
        off = disabled and variable.startswith("OTEL_")
        if environ.get(variable) and variable_of(name) not in environ and not off:
            yield variable, name


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIX) and not variable.startswith(_NOT_OURS)


def environment_of(settings: Settings) -> Mapping[str, str]:
    """Return the variables that make `read_settings` return `settings`, secrets included."""
    return {variable_of(name): str(getattr(settings, name)) for name, _ in declared_knobs()}


def declared_knobs() -> Iterator[tuple[str, Knob]]:
    """Name and knob of every field of `Settings`."""
    for declared in dataclasses.fields(Settings):
        yield declared.name, declared.metadata["knob"]


def variable_of(name: str) -> str:
    """Return the environment variable of the field `name`."""
    return PREFIX + name.upper()


def _refused(variable: str, knob: Knob, given: str) -> str:
    """One line of the refusal: the name, what is allowed, and what was given."""
    shown = shown_of(knob, given)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return f"{variable} ({knob.unit}) must be {knob.range}; given {shown!r}."


def shown_of(knob: Knob, value: str) -> str:
    """Return `value` as it may be shown."""
    return _HIDDEN if knob.secret and value else value


def _unknown(variable: str, known: Sequence[str]) -> str:
    """One line of the refusal of a variable that names no setting."""
    # Without the prefix, which would make all names alike.
    names = [name.removeprefix(PREFIX) for name in known]
    near = difflib.get_close_matches(variable.removeprefix(PREFIX), names, n=1)
    hint = f"did you mean {PREFIX}{near[0]}?" if near else f"known are {', '.join(known)}."
    return f"{variable} is not a setting; {hint}"

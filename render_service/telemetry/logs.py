"""Log lines: for a person, or one JSON object each, with the trace they belong to.

Everything a process logs goes through here, uvicorn's own lines included. What an event is about is
given as fields (`extra=`), never parsed back from the message. No secret, no token and nothing a
user chose stands in a line: `masked_path` is how a path is written.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from opentelemetry import trace

SEGMENT_LENGTH_MAX: Final = 64
"""Longer parts of a path are no ids of ours: a version has 10 characters, a key 64."""

SELDOM_S: Final = 60.0
"""Seconds between two lines about the same trouble with a collector: a minute, as its metrics."""

_EXPORTING: Final = ("opentelemetry", "render_service.telemetry.exports")
_PATH_LENGTH_MAX: Final = 200
_MASK: Final = "…"
_RESERVED: Final = frozenset(
    (*logging.makeLogRecord({}).__dict__, "message", "asctime", "color_message")
)
# Line breaks and what moves a terminal's cursor: a line must not look like two.
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def log_config(log_format: LogFormat, level: str) -> dict[str, Any]:
    """Return the configuration of logging for `logging.config.dictConfig`, and for uvicorn.

    Args:
        log_format: How lines are written.
        level: The least level that is logged, as the logging module names it.
    """
    kind = JsonLines if log_format is LogFormat.JSON else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": kind}},
        "filters": {"seldom": {"()": Seldom}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "filters": ["seldom"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # uvicorn gives its own loggers handlers unless it is told not to.
            "uvicorn": {"handlers": [], "propagate": True},
            # Whole paths, and a head made anew for each answer: uvicorn looks for handlers here.
            "uvicorn.access": {"handlers": [], "propagate": False},
            # pyvips tells of every thread that libvips ends.
            "pyvips": {"level": "WARNING"},
        },
    }


class Seldom(logging.Filter):
    """Lets through what is said of a collector once in a while, not at each batch it misses."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether `record` is to be written."""
        if not record.name.startswith(_EXPORTING):
            return True
        # By place and not by words, which hold counts and times.
        place = f"{record.pathname}:{record.lineno}"
        if record.created - self._said_s.get(place, -SELDOM_S) < SELDOM_S:
            return False
        self._said_s[place] = record.created
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`."""
        line: dict[str, object] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = trace.format_trace_id(context.trace_id)
            line["span_id"] = trace.format_span_id(context.span_id)
        if record.exc_info and record.exc_info[1] is not None:
            line |= _exception(record.exc_info[1])
        for name, value in record.__dict__.items():
            if name not in _RESERVED:
                line.setdefault(name, value)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """A line for a person, and what was raised below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`, with the trace it belongs to at its end."""
        message = record.getMessage().translate(_CONTROLS)
        line = f"{_time_of(record)} {record.levelname} {record.name}: {message}"
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line += f" [trace {trace.format_trace_id(context.trace_id)}]"
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        return line


def masked_path(path: str) -> str:
    """Return `path` as it may be logged and traced: without the options that were chosen.

    A part with `=` is a configuration; one that is longer than any id of ours may be anything; what
    follows `/d/` opens a preview. What would begin another line is spelled out.
    """
    parts = [
        _MASK if "=" in part or "%3d" in part.lower() or len(part) > SEGMENT_LENGTH_MAX else part
        for part in path.split("/")
    ]
    if parts[1:2] == ["d"] and len(parts) > 2:
        parts[2] = _MASK
    return "/".join(parts)[:_PATH_LENGTH_MAX].translate(_CONTROLS)


def _time_of(record: logging.LogRecord) -> str:
    """UTC, RFC 3339, milliseconds."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exception(error: BaseException) -> dict[str, str]:
    """The fields that OpenTelemetry's conventions have for exceptions."""
    return {
        "exception.type": type(error).__qualname__,
        "exception.message": str(error),
        "exception.stacktrace": "".join(traceback.format_exception(error)),
    }

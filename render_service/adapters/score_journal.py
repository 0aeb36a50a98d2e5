"""Scores on disk: a line for each, appended as it is measured.

The rule: a line counts if it is whole. One that a stop tore is measured again.
"""

import json
from pathlib import Path
from typing import Final

from render_service.errors import InvalidRequest
from render_service.rendering.measuring import Scored

_FIELDS: Final = 3


class ScoreJournal:
    """The scores in a file, as `rendering.measuring.Scores`."""

    def __init__(self, file: Path) -> None:
        """Read `file`, which comes into being with the first score.

        Raises:
            InvalidRequest: It cannot be read.
        """
        self._file = file
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        except OSError as error:
            raise self._unusable(error) from error
        self._scores = dict(filter(None, map(_read, text.splitlines())))
        self._torn = bool(text) and not text.endswith("\n")

    def __len__(self) -> int:
        return len(self._scores)

    def get(self, key: str) -> Scored | None:
        return self._scores.get(key)

    def put(self, key: str, scored: Scored) -> None:
        line = json.dumps([key, scored.score, scored.size_bytes])
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(("\n" if self._torn else "") + line + "\n")
        except OSError as error:
            raise self._unusable(error) from error
        self._torn = False
        self._scores[key] = scored

    def _unusable(self, error: OSError) -> InvalidRequest:
        return InvalidRequest(
            f"The scores measured so far are kept in {self._file}, which cannot be used "
            f"({error.strerror}); RENDER_DATA names another folder."
        )


def _read(line: str) -> tuple[str, Scored] | None:
    """The score in a line; None where it is torn."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != _FIELDS:
        return None
    key, score, size_bytes = found
    if not (isinstance(key, str) and isinstance(score, float) and isinstance(size_bytes, int)):
        return None
    return key, Scored(score, size_bytes)

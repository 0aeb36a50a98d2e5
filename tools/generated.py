"""Write the files that are made from code, or check that they are current.

The list below is all of them: a file is what its function returns, so docs cannot drift from code.

    python tools/generated.py           # write
    python tools/generated.py --check   # exit 1 and name each file that is not current
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from render_service.composition.definition import (
    CompositionDefinition,
    EncodingDefinition,
    MaterialsDefinition,
)
from render_service.settings_table import settings_markdown
from render_service.telemetry.reference import metrics_markdown


def editor_schema(definition: type) -> str:
    """Return the JSON Schema of a file of the catalogue, for editors that check TOML by it.

    In draft 7, the newest that Taplo 0.9 knows: it reads the tuples of later drafts, which msgspec
    writes, as rows that may hold nothing.
    """
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_draft_7(msgspec.json.schema(definition)),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _draft_7(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return `schema` with its tuples spelt as in draft 7."""
    if isinstance(schema, list):
        return [_draft_7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _draft_7(value) for key, value in schema.items()}
    if "prefixItems" in found:
        found["additionalItems"] = found.pop("items")
        found["items"] = found.pop("prefixItems")
    return found


ROOT = Path(__file__).resolve().parent.parent
GENERATED: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_markdown,
    "docs/metrics.md": metrics_markdown,
    "docs/schemas/composition.schema.json": partial(editor_schema, CompositionDefinition),
    "docs/schemas/encoding.schema.json": partial(editor_schema, EncodingDefinition),
    "docs/schemas/materials.schema.json": partial(editor_schema, MaterialsDefinition),
}


def main() -> int:
    """Write or check every generated file; return the exit status."""
    stale = [file for file, text in GENERATED.items() if _read(ROOT / file) != text()]
    if "--check" in sys.argv[1:]:
        for file in stale:
            print(f"{file} is not current: run `make docs` and commit it.", file=sys.stderr)
        return 1 if stale else 0
    for file in stale:
        (ROOT / file).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / file).write_text(GENERATED[file](), encoding="utf-8")
        print(f"Wrote {file}.")
    return 0


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())

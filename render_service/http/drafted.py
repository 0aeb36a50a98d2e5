"""What the routes of drafts are asked: bodies, revisions and pages, every fault by its field."""

import asyncio
import base64
import binascii
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from render_service.composition.definition import ID_PATTERN
from render_service.drafts.documents import DOCUMENT_BYTES_MAX, check_document
from render_service.drafts.editing import is_asset, is_digest
from render_service.drafts.model import Document, Place
from render_service.errors import (
    MalformedPath,
    PreconditionMissing,
    UnknownDraft,
    UnknownQueryKey,
)
from render_service.http.asked import invalid, refuse_media_type, wrong
from render_service.http.compositions import Asked, body_of
from render_service.http.draft_schemas import PAGE, PAGE_MAX, DocumentsIn, DraftIn

BODY_BYTES_MAX: Final = 2 * DOCUMENT_BYTES_MAX
"""A draft and the names of its files, spelled with spaces."""

TOML: Final = "application/toml"

_ID_LENGTH_MAX: Final = 64
_TEXT_LENGTH_MAX: Final = 200
Number = Annotated[int, Meta(ge=1, le=2**63 - 1)]
"""What a cursor of numbered things holds: as large as PostgreSQL's bigint."""

_DRAFT: Final = re.compile(r"[0-9a-f]{16}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)
_TAG: Final = re.compile(r'"([0-9]{1,18})"', re.ASCII)


def check_draft_id(given: str) -> str:
    """Return `given`, if it can be the id of a draft.

    Raises:
        UnknownDraft: It cannot.
    """
    if _DRAFT.fullmatch(given) is None:
        raise UnknownDraft(given)
    return given


def check_id(given: str, what: str) -> str:
    """Return `given`, if it can be an id of a definition.

    Raises:
        MalformedPath: It cannot.
    """
    if len(given) > _ID_LENGTH_MAX or re.fullmatch(ID_PATTERN, given) is None:
        raise MalformedPath(what, given, "an id: lower-case letters, digits and single hyphens")
    return given


def read_number(given: str, what: str) -> int:
    """Return the number that a part of a path spells.

    Raises:
        MalformedPath: It spells none.
    """
    if _NUMBER.fullmatch(given) is None:
        raise MalformedPath(what, given, "a whole number from 0")
    return int(given)


def read_revision(request: Asked) -> int | None:
    """Return the revision that a write knows of; None for `*`, which is whatever it is.

    Raises:
        PreconditionMissing: It does not say.
        InvalidBody: What it says is no ETag of ours.
    """
    given = request.headers.get("if-match")
    if given is None:
        raise PreconditionMissing(creates=False)
    if given.strip() == "*":
        return None
    found = _TAG.fullmatch(given.strip())
    if found is None:
        raise invalid([("If-Match", f'{given[:80]!r}; expected the ETag of the draft, as "3"')])
    return int(found[1])


async def read_draft_in(request: Asked) -> DraftIn:
    """Return how a draft is to begin.

    Raises:
        InvalidBody: Everything wrong with the body.
    """
    asked: DraftIn = await read_json(request, DraftIn)
    faults = [
        (field, f"{given!r} is no id: lower-case letters, digits and single hyphens")
        for field, given in (("composition", asked.composition), ("like", asked.like))
        if given is not None and re.fullmatch(ID_PATTERN, given) is None
    ]
    documents = asked.definition, asked.materials, asked.assets
    _refuse(faults + await asyncio.to_thread(_document_faults, *documents))
    return asked


async def read_documents_in(request: Asked) -> DocumentsIn:
    """Return what a draft shall say.

    Raises:
        InvalidBody: Everything wrong with the body.
    """
    asked: DocumentsIn = await read_json(request, DocumentsIn)
    documents = asked.definition, asked.materials, asked.assets
    _refuse(await asyncio.to_thread(_document_faults, *documents))
    return asked


async def read_document(request: Asked, field: str) -> Document:
    """Return a document: JSON or TOML.

    Raises:
        InvalidBody: It is neither, or cannot be kept.
    """
    if is_toml(request):
        document: Document = await asyncio.to_thread(_read_toml, await body_of(request))
    else:
        document = await read_json(request, dict[str, Any])
    _refuse(await asyncio.to_thread(check_document, document, field))
    return document


async def read_json(request: Asked, shape: Any) -> Any:  # noqa: ANN401  # whichever is asked for
    """Return the body as `shape`.

    Raises:
        HTTPException: 415: it says that it is not JSON.
        InvalidBody: It is not the JSON that `shape` describes; names the field.
    """
    refuse_media_type(request.headers.get("content-type"))
    body = await body_of(request)
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `")
        field = place.rstrip("`").removeprefix("$").removeprefix(".")
        raise invalid([(field or "body", said)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = "expected JSON in UTF-8" if body else "expected JSON, got nothing"
        raise invalid([("body", problem)]) from error


async def read_json_or_nothing(request: Asked, shape: Any) -> Any:  # noqa: ANN401  # as read_json
    """Return the body as `shape`; without one, as if it were `{}`.

    Raises:
        HTTPException: As `read_json`.
        InvalidBody: As `read_json`.
    """
    if not await body_of(request):
        return msgspec.convert({}, shape)
    return await read_json(request, shape)


def check_asset(name: str, digest: str) -> None:
    """Refuse what cannot be the name and the digest of a layer file.

    Raises:
        InvalidBody: One of them cannot.
    """
    _refuse(_asset_faults({name: digest}))


def is_toml(request: Asked) -> bool:
    """Return whether the body says that it is TOML."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == TOML


def read_query(request: Asked, offered: tuple[str, ...]) -> dict[str, str]:
    """Return the query, each key once and none that is not taken.

    Raises:
        UnknownQueryKey: A key is not taken.
        MalformedPath: A key is given twice.
    """
    given: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        if key not in offered:
            raise UnknownQueryKey(key, offered)
        if key in given:
            raise MalformedPath("query", key, "each key once")
        given[key] = str(value)
    return given


def read_limit(asked: Mapping[str, str]) -> int:
    """Return how much of a list is asked for.

    Raises:
        ValidationException: It is no number, or too large.
    """
    given = asked.get("limit", str(PAGE))
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= PAGE_MAX:
        return int(given)
    raise wrong("limit", f"{given[:100]!r}; expected a whole number from 1 to {PAGE_MAX}")


def spell_cursor(place: object) -> str:
    """Return `place` as a cursor holds it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(asked: Mapping[str, str], shape: Any) -> Any:  # noqa: ANN401  # Place, or a number
    """Return the place that a cursor stands for; None where there is none.

    Raises:
        ValidationException: It is none of ours.
    """
    given = asked.get("cursor")
    if given is None:
        return None
    try:
        padded = given + "=" * (-len(given) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        place = msgspec.json.decode(data, type=shape)
    except (ValueError, OverflowError, binascii.Error, msgspec.DecodeError) as error:
        raise wrong("cursor", "expected what `next` of the page before holds") from error
    if not _is_sound(place):
        raise wrong("cursor", "expected what `next` of the page before holds")
    return place


def read_text(asked: Mapping[str, str], key: str) -> str | None:
    """Return a word that is looked for; None where none is.

    Raises:
        ValidationException: It cannot be one.
    """
    given = asked.get(key)
    if given is not None and not (0 < len(given) <= _TEXT_LENGTH_MAX and "\0" not in given):
        raise wrong(key, f"expected 1 to {_TEXT_LENGTH_MAX} characters, without NUL")
    return given


def _is_sound(place: object) -> bool:
    """Whether it can be one of ours: instants that every time zone has, and the id of a draft."""
    if isinstance(place, Place):
        return _DRAFT.fullmatch(place.id) is not None and _is_sound((place.at,))
    instants = (
        [one for one in place if isinstance(one, datetime)] if isinstance(place, tuple) else []
    )
    return all(
        one.tzinfo is not None and datetime.min.year < one.year < datetime.max.year
        for one in instants
    )


def _read_toml(body: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(body.decode())
    except UnicodeDecodeError as error:
        raise invalid([("body", f"expected TOML in UTF-8 ({error.reason})")]) from error
    except (ValueError, RecursionError) as error:
        # Of its own kind where it is not TOML; of Python's where a number has thousands of digits.
        raise invalid([("body", f"expected TOML: {error}"[:500])]) from error


def _document_faults(
    definition: Document | None, materials: Document | None, assets: Mapping[str, str] | None
) -> list[tuple[str, str]]:
    faults = []
    for field, document in (("definition", definition), ("materials", materials)):
        if document is not None:
            faults += check_document(document, field)
    return faults + _asset_faults(assets or {})


def _asset_faults(assets: Mapping[str, str]) -> list[tuple[str, str]]:
    faults = []
    for name, digest in assets.items():
        if not is_asset(name):
            problem = (
                "is no name of a layer file: letters, digits, '_', '-', '.' and '/', 200 at most"
            )
            faults.append((f"assets.{name}", problem))
        if not is_digest(digest):
            problem = f"{digest[:80]!r} is no SHA-256: 64 lower-case hex digits"
            faults.append((f"assets.{name}", problem))
    return faults


def _refuse(faults: list[tuple[str, str]]) -> None:
    if faults:
        raise invalid(faults)

"""What the JSON routes are asked: bodies and queries, read so that every fault names its field.

Read by hand, as the options of a composition are fields that no declared shape can name. Nothing
unknown is ignored and nothing given twice is guessed at.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from render_service.errors import InvalidBody, MalformedPath, UnknownQueryKey
from render_service.formats import Format
from render_service.http.schemas import NEIGHBOURS_MAX, WIDTH_PX_MAX, ResolveIn, ShownIn

EXPLAIN_KEYS: Final = ("view", "region", "width", "format")

_JSON: Final = "application/json"
_KINDS: Final = {dict: "an object", list: "an array", str: "a string", type(None): "null"}


class ExplainQuery(Struct, frozen=True, kw_only=True):
    """A picture to explain.

    Attributes:
        view: View id.
        region: Region of the view, or None for all of it.
        width_px: Width of the picture; None leaves it to the route.
        format: Format of the picture.
        selection: (option, value) pairs in the order given, no option twice.
    """

    view: str
    region: str | None
    width_px: int | None
    format: Format
    selection: tuple[tuple[str, str], ...]


def refuse_query(query_string: bytes) -> None:
    """Refuse any query, be it of separators alone.

    Raises:
        UnknownQueryKey: There is a query.
    """
    if query_string:
        text = query_string.decode("latin-1")
        pairs = parse_qsl(text, keep_blank_values=True)
        raise UnknownQueryKey(pairs[0][0] if pairs else text, ())


def refuse_media_type(content_type: str | None, taken: str = _JSON) -> None:
    """Refuse a body that says it is not what is `taken`; one that says nothing is taken for it.

    Raises:
        HTTPException: 415.
    """
    if content_type and content_type.partition(";")[0].strip().lower() != taken:
        raise HTTPException(
            detail=f"The body is sent as {content_type[:100]!r}; expected {taken}.",
            status_code=415,
            headers={"accept-patch" if "patch" in taken else "accept-post": taken},
        )


def read_json(body: bytes) -> object:
    """Return the JSON that `body` is.

    Raises:
        InvalidBody: It is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Text that is not UTF-8 and brackets without end have errors of Python's own.
        problem = "expected JSON in UTF-8" if body else "expected JSON, got nothing"
        raise invalid([("body", problem)]) from error


def read_body(body: bytes, shape: Any) -> Any:  # noqa: ANN401  # whichever shape is asked for
    """Return what `body` holds, of the type `shape`.

    Raises:
        InvalidBody: It is not the JSON that `shape` describes; names the first field that is not.
    """
    try:
        return msgspec.convert(read_json(body), shape, strict=True, str_keys=True)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at `")
        field = place.rstrip("`").removeprefix("$").removeprefix(".")
        raise invalid([(field or "body", said)]) from error


def read_resolve(body: bytes) -> ResolveIn:
    """Return what the body of `resolve` asks for.

    Raises:
        InvalidBody: It is not the JSON that `ResolveIn` describes; names each field.
    """
    sent = read_json(body)
    if not isinstance(sent, dict):
        raise invalid([("body", f"expected an object, got {_kind(sent)}")])
    faults = list(_resolve_faults(sent))
    if faults:
        raise invalid(faults)
    return msgspec.convert(sent, ResolveIn)


def read_explain(pairs: Iterable[tuple[str, Any]]) -> ExplainQuery:
    """Return the picture that the query of `explain` names, `pairs` in the order given.

    Raises:
        MalformedPath: A key is given twice, or the region in two ways.
        ValidationException: The view is missing, or width or format is not one.
    """
    given: dict[str, str] = {}
    for key, value in pairs:
        if key in given:
            raise MalformedPath("query", key, "each key once")
        given[key] = str(value)
    if not given.get("view"):
        raise wrong("view", "missing; expected the id of a view, or {view}:{region}")
    view, colon, region = given["view"].partition(":")
    if colon and "region" in given:
        raise MalformedPath("query", "region", "the region once: after the view, or as region")
    return ExplainQuery(
        view=view,
        region=region if colon else given.get("region"),
        width_px=_read_width(given.get("width")),
        format=_read_format(given.get("format", Format.WEBP)),
        selection=tuple(pair for pair in given.items() if pair[0] not in EXPLAIN_KEYS),
    )


def _resolve_faults(sent: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """Everything wrong with the fields of a body of `resolve`: (field, problem)."""
    yield from _unknown(sent, "", ResolveIn.__struct_fields__)
    selection = sent.get("selection", {})
    if not isinstance(selection, dict):
        yield "selection", f"expected an object, got {_kind(selection)}"
        selection = {}
    for option, value in selection.items():
        if not isinstance(value, str):
            yield f"selection.{option}", f"expected a string, got {_kind(value)}"
    changed = sent.get("changed")
    if not isinstance(changed, str | None):
        yield "changed", f"expected the id of an option, got {_kind(changed)}"
    if (problem := _not_within(sent.get("neighbours", 0), 0, NEIGHBOURS_MAX)) is not None:
        yield "neighbours", problem
    shown = sent.get("shown")
    if isinstance(shown, dict):
        yield from _shown_faults(shown)
    elif shown is not None:
        yield "shown", f"expected an object, got {_kind(shown)}"


def _shown_faults(shown: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    yield from _unknown(shown, "shown.", ShownIn.__struct_fields__)
    for field in ShownIn.__struct_fields__:
        if field not in shown:
            yield f"shown.{field}", "missing"
    if not isinstance(shown.get("view", ""), str):
        yield "shown.view", f"expected the id of a view, got {_kind(shown['view'])}"
    if (problem := _not_within(shown.get("width", 1), 1, WIDTH_PX_MAX)) is not None:
        yield "shown.width", problem
    if shown.get("format", Format.AVIF) not in list(Format):
        given = repr(shown["format"])[:80]
        yield "shown.format", f"{given} is not offered; formats: {', '.join(Format)}"


def _unknown(sent: dict[Any, Any], before: str, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in sent:
        if key not in known:
            yield f"{before}{key}", f"not known; fields: {', '.join(known)}"


def _not_within(value: object, low: int, high: int) -> str | None:
    """Say what is wrong with a number; None where nothing is."""
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return None
    given = _kind(value) if type(value) not in (int, float) else str(value)[:80]
    return f"expected a whole number, {low} to {high}, got {given}"


def _read_width(given: str | None) -> int | None:
    if given is None:
        return None
    # Five digits: more than any width has, and a number Python reads in no time.
    if given.isascii() and given.isdigit() and len(given) <= 5 and 0 < int(given) <= WIDTH_PX_MAX:
        return int(given)
    raise wrong("width", f"{given[:80]!r} is not a number of pixels, 1 to {WIDTH_PX_MAX}")


def _read_format(given: str) -> Format:
    try:
        return Format(given)
    except ValueError:
        offered = ", ".join(Format)
        raise wrong("format", f"{given[:80]!r} is not offered; formats: {offered}") from None


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number" if not isinstance(value, bool) else "a boolean")


def wrong(key: str, problem: str) -> ValidationException:
    """Return the error of a query: its key, and what is wrong with it."""
    return ValidationException(detail=problem, extra=[{"key": key, "message": problem}])


def invalid(faults: list[tuple[str, str]]) -> InvalidBody:
    """Return the error of a body: (field, problem) of everything wrong with it."""
    fields = [{"field": field[:200], "problem": problem} for field, problem in faults[:20]]
    said = "; ".join(f"{item['field']}: {item['problem']}" for item in fields)
    return InvalidBody(said, errors=fields)

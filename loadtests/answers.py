"""An answer of the service, and what must hold of any one of them taken alone.

The rule: each function yields a sentence for each thing that is wrong, the URL in it, and knows
nothing of other answers; what must hold between them is in `invariants.py`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

IMMUTABLE: Final = "public, max-age=31536000, immutable, no-transform"
"""`Cache-Control` of a picture, as docs/urls.md promises it."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "avif": "image/avif",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "png": "image/png",
}

_PICTURE = re.compile(r"/r/[^?]*/(?P<width>\d+)\.(?P<extension>\w+)", re.ASCII)


class Answer(Struct, frozen=True, kw_only=True):
    """What came back, and what was asked.

    Attributes:
        url: Path and query, as sent.
        status: Of HTTP; 0: no answer came.
        headers: Of the answer, names in lower case.
        body: Of the answer, whole.
        method: Of the request.
        if_none_match: The ETag that was sent along, or "".
        picture: The immutable URL of the same picture, where `url` is another address of it.
        expected: Statuses that are right for it; empty: any that is no error of the service.
        error: Why no answer came.
    """

    url: str
    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    method: str = "GET"
    if_none_match: str = ""
    picture: str = ""
    expected: frozenset[int] = frozenset()
    error: str = ""

    @property
    def name(self) -> str:
        """The request, for a sentence; a long URL is cut."""
        shown = self.url if len(self.url) <= 200 else f"{self.url[:197]}..."
        return f"{self.method} {shown}"


class Picture(Struct, frozen=True, kw_only=True):
    """A decoded body."""

    media_type: str
    width_px: int
    height_px: int


Decode = Callable[[bytes], Picture]
"""Returns what a body is; raises ValueError where it is broken."""


def wrong_answered(answer: Answer) -> Iterator[str]:
    """What is wrong unless an answer came at all."""
    if answer.status == 0:
        yield f"{answer.name} was not answered: {answer.error or 'the connection was closed'}."


def wrong_honest(answer: Answer) -> Iterator[str]:
    """What is wrong with a 5xx: all but a 503 that says when to come again, and why."""
    if answer.status < 500:
        return
    if answer.status != 503:
        yield f"{answer.name} answered {answer.status}."
        return
    after = answer.headers.get("retry-after", "")
    if not (after.isascii() and after.isdigit() and int(after) >= 1):
        yield f"{answer.name} answered 503 with Retry-After {after!r}; expected seconds, 1 or more."
    if not _members(answer.body).get("reason"):
        yield f"{answer.name} answered 503 without a reason."
    if "no-store" not in answer.headers.get("cache-control", ""):
        yield f"{answer.name} answered 503 that a cache may keep."


def wrong_problem(answer: Answer) -> Iterator[str]:
    """What is wrong with an error: it is a problem document, and no cache keeps it for ever."""
    if answer.status < 400:
        return
    control = answer.headers.get("cache-control", "")
    if "immutable" in control:
        yield f"{answer.name} answered {answer.status} with Cache-Control {control!r}."
    if answer.method == "HEAD":
        return
    kind = answer.headers.get("content-type", "")
    if not kind.startswith("application/problem+json"):
        yield f"{answer.name} answered {answer.status} as {kind!r}, not as a problem document."
    elif _members(answer.body).get("status") != answer.status:
        yield f"{answer.name} answered {answer.status}, and its problem document says otherwise."


def wrong_expected(answer: Answer) -> Iterator[str]:
    """What is wrong unless the status is one that is right for the request."""
    if answer.status and answer.expected and answer.status not in answer.expected:
        right = " or ".join(map(str, sorted(answer.expected)))
        yield f"{answer.name} answered {answer.status}; right is {right}."


def wrong_json(answer: Answer) -> Iterator[str]:
    """What is wrong with JSON."""
    kind = answer.headers.get("content-type", "")
    if "json" in kind and answer.method != "HEAD" and answer.status != 304:
        try:
            json.loads(answer.body)
        except ValueError as error:
            yield f"{answer.name} answered {kind} that is not: {error}."


def wrong_immutable(answer: Answer) -> Iterator[str]:
    """What is wrong with the headers and the length of a picture."""
    found = _PICTURE.fullmatch(picture_url(answer.url))
    if answer.status != 200 or found is None:
        return
    headers = answer.headers
    for name, right in (
        ("cache-control", IMMUTABLE),
        ("content-type", MEDIA_TYPES.get(found["extension"], "a format of ours")),
    ):
        if headers.get(name) != right:
            yield f"{answer.name} has {name} {headers.get(name)!r}; right is {right!r}."
    for name in ("vary", "set-cookie"):
        if name in headers:
            yield f"{answer.name} has {name} {headers[name]!r}; a picture has none."
    if not re.fullmatch(r'"[^"]+"', headers.get("etag", "")):
        yield f"{answer.name} has the ETag {headers.get('etag')!r}; expected a strong one."
    size = headers.get("content-length")
    if answer.method == "GET" and size != str(len(answer.body)):
        yield f"{answer.name} has {len(answer.body)} bytes, and says {size}."


def wrong_revalidated(answer: Answer) -> Iterator[str]:
    """What is wrong with a 304."""
    if answer.status != 304:
        return
    if not answer.if_none_match:
        yield f"{answer.name} answered 304 to who sent no ETag."
    elif answer.headers.get("etag") != answer.if_none_match:
        yield (
            f"{answer.name} answered 304 with the ETag {answer.headers.get('etag')}; "
            f"{answer.if_none_match} was sent."
        )


def wrong_decoded(answer: Answer, url: str, decode: Decode) -> Iterator[str]:
    """What is wrong with the body of `answer`, a picture that is to be what `url` says."""
    found = _PICTURE.fullmatch(url)
    try:
        picture = decode(answer.body)
    except ValueError as error:
        yield f"{answer.name} does not decode: {error}."
        return
    if found is None:
        return
    wanted = MEDIA_TYPES.get(found["extension"])
    if picture.media_type != wanted:
        yield f"{answer.name} is {picture.media_type}, not {wanted}."
    if picture.width_px != int(found["width"]):
        yield f"{answer.name} is {picture.width_px} pixels wide, not {found['width']}."


def picture_url(url: str) -> str:
    """Return the immutable URL that `url` spells, decoded; "" where it is of another route."""
    path = unquote(urlsplit(url).path)
    return path if _PICTURE.fullmatch(path) else ""


def _members(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""`POST /v1/assets/quarantine`: the form that S3 would take, received by ourselves, raw ASGI.

Whoever has a form may post it: its policy is what allows it. Everything that the policy says is
held against the request before a byte of the file is written, and its length while it is received;
a post that is refused, cut or too slow leaves nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from multipart import (  # type: ignore[import-untyped]  # ships no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from render_service.assets.quarantine import FORM_S, Slot
from render_service.errors import InvalidForm, UploadForbidden
from render_service.http.asked import refuse_query
from render_service.http.cors import for_any_origin, preflight
from render_service.http.problems import describe_status
from render_service.http.replies import (
    ClientGone,
    Receive,
    Scope,
    Send,
    answer_or_problem,
    header_bytes,
    instance_of,
    read_header,
    send_problem,
    send_whole,
)
from render_service.wiring import QUARANTINE_PATH as QUARANTINE_PATH

SILENT_S: Final = 30.0
"""A client that sends nothing for so long is gone, as nginx has it for bodies, twice over
(client_body_timeout, 60 s, is for slow phones; a form is good for ten minutes in all)."""

_FIELDS: Final = ("key", "Content-Type", "policy")
_FIELD_BYTES_MAX: Final = 4096
_PARTS_MAX: Final = 16
"""Parts of a form: three fields and the file; what a form's page adds beside them is ignored."""
_METHODS: Final = ("OPTIONS", "POST")
_FORM: Final = re.compile(
    r'multipart/form-data;(?:[^"]*;)?\s*boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1\s*',
    re.ASCII | re.IGNORECASE,
)
"""RFC 2046, section 5.1.1, without the space that no client uses."""


_Event = Any
"""A MultipartSegment where a part begins, bytes of it, and None where it ends."""


class Arriving(Protocol):
    """A file while it is being received."""

    async def write(self, data: bytes) -> None:
        """Append `data`."""
        ...

    def end(self) -> None:
        """Say that this is all of it."""
        ...


class Receiving(Protocol):
    """A quarantine that is filled through us."""

    def slot_of(self, policy: str) -> Slot:
        """Return the slot that a policy is good for now; UploadForbidden where it is not."""
        ...

    def receive(self, slot: Slot) -> AbstractAsyncContextManager[Arriving]:
        """Return what receives a file; unless it is ended, nothing is left of it."""
        ...


class QuarantineRoute:
    """Receives the files of uploads.

    Args:
        quarantine: Where they are put.
        silent_s: How long a client may send nothing, in seconds.
    """

    def __init__(self, quarantine: Receiving, *, silent_s: float = SILENT_S) -> None:
        self._quarantine, self._silent_s = quarantine, silent_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # Any site may post a form anyway; this lets its scripts read what came of it.
        await answer_or_problem(self._answer, scope, receive, for_any_origin(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            return await send_whole(send, 204, header_bytes(preflight(_METHODS)), b"")
        if scope["method"] != "POST":
            facts = {"allow": ", ".join(_METHODS)}
            detail = "A form is posted here."
            return await send_problem(send, describe_status(405, detail, instance_of(scope), facts))
        refuse_query(scope["query_string"])
        form = _Form(_boundary(scope))
        try:
            async with asyncio.timeout(FORM_S):
                await self._take(form, _chunks(receive, self._silent_s))
        except TimeoutError as error:
            raise InvalidForm("it was not sent in time") from error
        except MultipartError as error:
            raise InvalidForm(f"it is no multipart/form-data ({error})") from error
        await send_whole(send, 204, header_bytes([("cache-control", "no-store")]), b"")

    async def _take(self, form: "_Form", chunks: AsyncIterator[bytes]) -> None:
        """Read the fields, then keep the file that follows them."""
        async for chunk in chunks:
            events = form.parser.parse(chunk)
            if form.read_fields(events):
                slot = self._allowed(form.fields)
                async with self._quarantine.receive(slot) as arriving:
                    await _keep(form, slot, arriving, events, chunks)
                return
        raise InvalidForm("it has no field `file`, behind all others")

    def _allowed(self, fields: dict[str, str]) -> Slot:
        """Return the slot of a form whose fields agree with its policy."""
        for name in _FIELDS:
            if name not in fields:
                raise InvalidForm(f"the field `{name}` is missing before the file")
        slot = self._quarantine.slot_of(fields["policy"])
        for name, signed in (("key", slot.name), ("Content-Type", slot.media_type)):
            if fields[name] != signed:
                given = fields[name][:100]
                raise UploadForbidden(f"`{name}` is {given!r}; its policy says {signed!r}")
        return slot


async def _keep(
    form: "_Form",
    slot: Slot,
    arriving: Arriving,
    events: Iterator[_Event],
    chunks: AsyncIterator[bytes],
) -> None:
    """Write the rest of the form, whose file has begun, and hold its length against the slot."""
    size_bytes, is_ended = 0, False
    while True:
        for event in events:
            if is_ended or isinstance(event, MultipartSegment):
                raise InvalidForm("something follows the file; all fields come before it")
            if event is None:
                is_ended = True
                continue
            size_bytes += len(event)
            if size_bytes > slot.most_bytes:
                raise InvalidForm(f"the file has over {slot.most_bytes} bytes, the most it may")
            await arriving.write(bytes(event))
        chunk = await anext(chunks, b"")
        if not chunk:
            break
        events = form.parser.parse(chunk)
    form.parser.close()
    if size_bytes < slot.least_bytes:
        problem = f"the file has {size_bytes} bytes, and at least {slot.least_bytes} are due"
        raise InvalidForm(problem)
    arriving.end()


class _Form:
    """A form while it is read: its fields, in front of its file.

    Attributes:
        parser: Of its body.
        fields: Those read so far.
    """

    def __init__(self, boundary: str) -> None:
        self.parser = PushMultipartParser(
            boundary,
            max_header_size=_FIELD_BYTES_MAX,
            max_segment_count=_PARTS_MAX,
        )
        self.fields: dict[str, str] = {}
        self._name, self._value = "", b""

    def read_fields(self, events: Iterator[_Event]) -> bool:
        """Read what is in front of the file; return whether the file begins now.

        Raises:
            InvalidForm: A field is too long, given twice, or no text.
        """
        for event in events:
            if isinstance(event, MultipartSegment):
                self._name, self._value = event.name or "", b""
                if self._name == "file":
                    return True
                if self._name in self.fields:
                    raise InvalidForm(f"the field `{self._name[:100]}` is given twice")
            elif event is None:
                self._end_field()
            else:
                self._value += event
                if len(self._value) > _FIELD_BYTES_MAX:
                    raise InvalidForm(f"the field `{self._name[:100]}` is too long")
        return False

    def _end_field(self) -> None:
        try:
            self.fields[self._name] = self._value.decode()
        except UnicodeDecodeError as error:
            raise InvalidForm(f"the field `{self._name[:100]}` is not UTF-8") from error


async def _chunks(receive: Receive, silent_s: float) -> AsyncIterator[bytes]:
    """Yield the body as it comes; raise ClientGone where the client leaves."""
    more = True
    while more:
        async with asyncio.timeout(silent_s):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


def _boundary(scope: Scope) -> str:
    found = _FORM.fullmatch(read_header(scope, b"content-type") or "")
    if found is None:
        raise InvalidForm("it is not sent as multipart/form-data with a boundary")
    return found[2]

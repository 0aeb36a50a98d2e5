"""Releases and states: what is published, as documents, and the names they are stored under.

A release is one composition as it was published, and its id is the digest of its bytes: publishing
the same twice is one release. A state says which release of each composition is live together;
states are numbered from 1. Every document carries or is named by its digest, so a damaged one is
never believed.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from render_service.composition.model import Composition
from render_service.errors import ReleaseUnreadable
from render_service.formats import Format
from render_service.planning.plan import EncodeProfile

RELEASE_SCHEMA: Final = 3
"""Bumped with any change of shape of `Release` or of what it holds (a test compares): a release of
another shape is served from what is stored, or by a redirect, and never misread."""

_RELEASES_READ: Final = (1, 2, RELEASE_SCHEMA)
"""Shapes that are read: 1 has no calibrated qualities, 1 and 2 have no effort of its own for alpha;
both are drawn as they were."""

STATE_SCHEMA: Final = 1
"""The same for `State`."""

DOCUMENT_BYTES_MAX: Final = 64 * 2**20
"""No document is larger: a state of 100,000 compositions takes 9 MB."""

LIVE: Final = "live.msgpack"
"""The name of the one document that changes: the live state."""

_NAME: Final = re.compile(r"(?:[a-z0-9][a-z0-9._-]{0,199}/){0,3}[a-z0-9][a-z0-9._-]{0,199}")
_DIGEST_NAMED: Final = re.compile(
    r"assets/[0-9a-f]{2}/([0-9a-f]{64})|releases/[^/]+/([0-9a-f]{64})\.msgpack"
)
_SEAL_BYTES: Final = hashlib.sha256().digest_size


class Release(Struct, frozen=True, kw_only=True):
    """One composition as it was published, complete: nothing else is needed to draw it again.

    Attributes:
        schema: `RELEASE_SCHEMA` of the program that wrote it.
        pipeline: `PIPELINE_REVISION` of that program.
        profiles: How each format is encoded.
        composition: The composition, its materials and its tone inside.
        assets: Layer file name → SHA-256, lower-case hex.
        versions: View id → the version that its URLs carry.
    """

    schema: int
    pipeline: int
    profiles: Mapping[Format, EncodeProfile]
    composition: Composition
    assets: Mapping[str, str]
    versions: Mapping[str, str]


class State(Struct, frozen=True, kw_only=True):
    """The releases that are, or were, live together.

    Attributes:
        schema: `STATE_SCHEMA` of the program that wrote it.
        number: 1 for the first state of a store, and one more for each that followed.
        published_s: When it became live, seconds since 1970 by the publisher's clock; for people.
        restores: Number of the earlier state that it publishes again; None for a folder.
        releases: Composition id → release id.
    """

    schema: int
    number: int
    published_s: int
    restores: int | None
    releases: Mapping[str, str]


class _Schema(Struct):
    schema: int


_Document = TypeVar("_Document", Release, State)


def encode_release(release: Release) -> tuple[str, bytes]:
    """Return the id of `release`, 64 hex digits, and its document."""
    data = msgspec.msgpack.encode(release)
    return hashlib.sha256(data).hexdigest(), data


def decode_release(name: str, data: bytes) -> Release:
    """Return the release in the document `name`.

    Raises:
        ReleaseUnreadable: It is of another schema.
    """
    return _decode(name, data, Release, _RELEASES_READ)


def encode_state(state: State) -> bytes:
    """Return the sealed document of `state`."""
    return seal(msgspec.msgpack.encode(state))


def decode_state(name: str, data: bytes) -> State:
    """Return the state in the sealed document `name`.

    Raises:
        ReleaseUnreadable: It is damaged, or of another schema.
    """
    return _decode(name, unseal(name, data), State, (STATE_SCHEMA,))


def seal(payload: bytes) -> bytes:
    """Return `payload` behind its digest: for documents whose names are not digests."""
    return hashlib.sha256(payload).digest() + payload


def unseal(name: str, data: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        ReleaseUnreadable: It is damaged.
    """
    payload = data[_SEAL_BYTES:]
    if hashlib.sha256(payload).digest() != data[:_SEAL_BYTES]:
        raise ReleaseUnreadable(name, "is damaged: it does not have the digest it was written with")
    return payload


def check_whole(name: str, data: bytes) -> None:
    """Refuse bytes that are not what was stored under `name`.

    Raises:
        ReleaseUnreadable: They are not.
    """
    named = _DIGEST_NAMED.fullmatch(name)
    if named is None:
        unseal(name, data)
    elif hashlib.sha256(data).hexdigest() != (named[1] or named[2]):
        raise ReleaseUnreadable(name, f"is damaged: its {len(data)} bytes have another digest")


def is_name(name: str) -> bool:
    """Return whether `name` can be one of a store: short parts, and no path out of it."""
    return _NAME.fullmatch(name) is not None


def asset_name(asset: str) -> str:
    """Return the name of the layer file whose SHA-256 is `asset`."""
    return f"assets/{asset[:2]}/{asset}"


def release_name(composition: str, release: str) -> str:
    """Return the name of a release."""
    return f"releases/{composition}/{release}.msgpack"


def version_name(composition: str, view: str, version: str) -> str:
    """Return the name of the entry that says which release drew a version of a view first."""
    return f"versions/{composition}/{view}/{version}"


def state_name(number: int) -> str:
    """Return the name of a state that is no longer live."""
    return f"states/{number:08d}.msgpack"


def _decode(name: str, data: bytes, kind: type[_Document], schemas: tuple[int, ...]) -> _Document:
    """Decode the schema alone first: another shape would be told as a damaged one."""
    try:
        found = msgspec.msgpack.decode(data, type=_Schema).schema
        if found not in schemas:
            read = " and ".join(map(str, schemas))
            problem = f"has schema {found}, and this program reads {read}"
            raise ReleaseUnreadable(name, problem)
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ReleaseUnreadable(name, f"has a shape that is not known here ({error})") from error

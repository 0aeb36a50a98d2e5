"""Signed addresses: who may ask for what is not offered to everybody, and until when.

A signature is HMAC-SHA256 (RFC 2104) over key id, expiry and path, each on a line of its own: the
path percent-decoded once, printable ASCII, without a query. So however a proxy spells the path, it
is the same signature, and no other path has it. Time is an argument, in whole seconds since 1970.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from render_service.errors import BadSignature, ExpiredSignature, InvalidSetting

KEY_BYTES: Final = 32
"""Of a key: as many as the hash has (RFC 2104 section 3)."""

KEYS_MAX: Final = 2
"""Live keys: the one that signs, and the one before or after it while keys are exchanged."""

BUCKET_S: Final = 300
"""Expiries are rounded up to a multiple: whoever signs the same path within five minutes gets the
same address, which a cache then keeps once."""

LEEWAY_S: Final = 60
"""A signature counts this long after its expiry: clocks of two machines may be that far apart."""

QUERY_KEYS: Final = ("kid", "exp", "sig")
"""Query keys of a signed address; `exp` is left out where it never expires."""

_CONTEXT: Final = "render-service signed path 1"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}=?", re.ASCII)
# 12 digits: until the year 33658.
_EXPIRY: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)


class SigningKey(Struct, frozen=True, kw_only=True):
    """A key and the id that addresses name it by."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"SigningKey(id={self.id!r})"


class Signer:
    """Signs with the first of its keys and knows the signatures of all.

    Args:
        keys: At most two; none signs nothing and knows nothing.
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = tuple(keys)

    def sign(self, path: str, *, expires_s: int | None = None) -> str:
        """Return the query that signs `path`.

        Args:
            path: Percent-decoded.
            expires_s: Time until which it counts, at the least; None is for ever.

        Raises:
            InvalidSetting: There is no key to sign with.
        """
        if not self._keys:
            raise InvalidSetting(
                "RENDER_SIGNING_KEYS is empty; `render-service keys make` makes a key."
            )
        key = self._keys[0]
        expiry = "" if expires_s is None else str(-(-expires_s // BUCKET_S) * BUCKET_S)
        expires = f"&exp={expiry}" if expiry else ""
        return f"kid={key.id}{expires}&sig={_signature(key.secret, key.id, expiry, path)}"

    def verify(self, path: str, query: Mapping[str, str], now_s: int) -> int | None:
        """Return the time at which the signature of `path` expires; None is never.

        Args:
            path: Percent-decoded.
            query: Its keys are among `QUERY_KEYS`.
            now_s: The time now.

        Raises:
            BadSignature: It was not made by one of the keys, for this path and this expiry.
            ExpiredSignature: It was, and its time is over.
        """
        expiry, key_id = query.get("exp", ""), query.get("kid", "")
        # An id that is not known costs the same as one that is.
        secret = next((key.secret for key in self._keys if key.id == key_id), b"")
        made = _signature(secret or bytes(KEY_BYTES), key_id, expiry, path)
        same = hmac.compare_digest(made.encode(), query.get("sig", "").encode())
        if not same or not secret or ("exp" in query and _EXPIRY.fullmatch(expiry) is None):
            raise BadSignature
        if not expiry:
            return None
        if now_s > int(expiry) + LEEWAY_S:
            raise ExpiredSignature
        return int(expiry)


def parse_keys(text: str) -> tuple[SigningKey, ...]:
    """Return the keys in `text`: `id:base64url` joined by commas; the first one signs.

    Raises:
        InvalidSetting: It is not of that form; it says what of it, and never shows it.
    """
    keys = [_parse_key(number, part) for number, part in enumerate(text.split(","), 1) if text]
    if len(keys) > KEYS_MAX:
        raise _invalid(f"holds {len(keys)} keys; at most {KEYS_MAX} live at a time")
    if len({key.id for key in keys}) < len(keys):
        raise _invalid("names two keys alike; each has an id of its own")
    return tuple(keys)


def spell_key(key: SigningKey) -> str:
    """Return `key` as the setting takes it."""
    return f"{key.id}:{_base64(key.secret)}"


def _parse_key(number: int, part: str) -> SigningKey:
    key_id, colon, secret = part.partition(":")
    if not colon or _ID.fullmatch(key_id) is None:
        raise _invalid(f"does not begin key {number} with an id of at most 32 characters and `:`")
    if _SECRET.fullmatch(secret) is None:
        raise _invalid(f"has a key {number} that is not {KEY_BYTES} bytes in base64url")
    try:
        decoded = base64.b64decode(secret.rstrip("=") + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        raise _invalid(f"has a key {number} that is not {KEY_BYTES} bytes in base64url") from None
    return SigningKey(id=key_id, secret=decoded)


def _invalid(found: str) -> InvalidSetting:
    return InvalidSetting(
        f"RENDER_SIGNING_KEYS {found}; needed: one key or two, `id:base64url` joined by a comma, "
        "as `render-service keys make` prints them. The value is not shown."
    )


def _signature(secret: bytes, key_id: str, expiry: str, path: str) -> str:
    message = "\n".join((_CONTEXT, key_id, expiry, path))
    return _base64(hmac.digest(secret, message.encode(), hashlib.sha256))


def _base64(data: bytes) -> str:
    """Base64 for addresses, RFC 4648 section 5, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

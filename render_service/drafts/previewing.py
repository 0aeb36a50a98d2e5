"""Addresses of previews: they cannot be guessed, end by themselves, and can be revoked.

An address has 32 bytes: 16 that are drawn by chance for each revision of a draft, and the first 16
of an HMAC over them. So a guess is refused without asking anybody, what the database holds is of no
use without the key, and forgetting the 16 random bytes revokes every address made from them.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from render_service.drafts.model import Preview
from render_service.planning.signatures import SigningKey

ID_BYTES: Final = 16
_MAC_BYTES: Final = 16
_LABEL: Final = b"render-service preview of a draft"
_TOKEN_LENGTH: Final = 43
"""32 bytes in base64url, without padding."""


class Previews:
    """Makes previews, and their addresses."""

    def __init__(self, keys: Sequence[SigningKey], *, preview_s: int) -> None:
        """Sign with the first of `keys`, and know those of all; each lasts `preview_s` seconds."""
        self._keys = [hmac.digest(key.secret, _LABEL, hashlib.sha256) for key in keys]
        self._preview_s = preview_s

    def make(self) -> Preview:
        """Return a new preview, which begins now."""
        until = datetime.now(UTC) + timedelta(seconds=self._preview_s)
        return Preview(id=secrets.token_bytes(ID_BYTES), until=until)

    def spell(self, preview: Preview) -> str:
        """Return the part of an address that stands for `preview`."""
        token = preview.id + _mac(self._keys[0], preview.id)
        return base64.urlsafe_b64encode(token).decode().rstrip("=")

    def read(self, token: str) -> bytes | None:
        """Return the id of the preview that `token` stands for; None where we never made it."""
        if len(token) != _TOKEN_LENGTH:
            return None
        try:
            data = base64.b64decode(token.encode("ascii") + b"=", altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        preview, mac = data[:ID_BYTES], data[ID_BYTES:]
        known = [hmac.compare_digest(mac, _mac(key, preview)) for key in self._keys]
        return preview if any(known) else None


def _mac(key: bytes, preview: bytes) -> bytes:
    return hmac.digest(key, preview, hashlib.sha256)[:_MAC_BYTES]

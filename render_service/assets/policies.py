"""Policies of upload forms that we receive ourselves, as S3 has them in a presigned POST.

The rule: a policy is signed whole, and what a form says beside it must agree with it to the letter.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt
import msgspec

from render_service.assets.quarantine import Slot
from render_service.errors import InvalidSetting, UploadForbidden
from render_service.planning.signatures import SigningKey

POLICY_BYTES_MAX: Final = 2048
"""Of a policy: name, type and three numbers take some 300."""

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "quarantine"
_LABEL: Final = b"render-service upload policy 1"
_OPTIONS: Final[Any] = {
    "require": ["aud", "exp"],
    "strict_aud": True,
    # Time is an argument here, and PyJWT would ask the clock.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class Policies:
    """Signs slots and knows its signatures.

    Args:
        keys: Those of RENDER_SIGNING_KEYS; the first signs, all verify.
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        # Of its own, so that no token of another purpose is ever a policy.
        self._keys = {key.id: hmac.digest(key.secret, _LABEL, hashlib.sha256) for key in keys}

    def sign(self, slot: Slot) -> str:
        """Return the policy of `slot`.

        Raises:
            InvalidSetting: There is no key to sign with.
        """
        if not self._keys:
            raise InvalidSetting(
                "RENDER_SIGNING_KEYS is empty, and uploads into a folder need a key; "
                "`render-service keys make` makes one."
            )
        key_id, key = next(iter(self._keys.items()))
        claims = msgspec.to_builtins(slot)
        claims |= {"aud": _AUDIENCE, "exp": claims.pop("expires_s")}
        return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id})

    def verify(self, policy: str, now_s: int) -> Slot:
        """Return the slot of a policy.

        Args:
            policy: As it was signed.
            now_s: The time now, seconds since 1970.

        Raises:
            UploadForbidden: It is none of ours, or its time is over.
        """
        if len(policy) > POLICY_BYTES_MAX:
            raise UploadForbidden(f"its policy is over {POLICY_BYTES_MAX} bytes long")
        try:
            key = self._keys.get(str(_header(policy).get("kid")))
            if key is None:
                raise UploadForbidden("its policy was not signed by a key that counts here")
            claims = jwt.decode(
                policy, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options=_OPTIONS
            )
            del claims["aud"]
            slot = msgspec.convert({**claims, "expires_s": claims.pop("exp")}, Slot)
        except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
            raise UploadForbidden("its policy is not one that was signed here") from error
        if now_s >= slot.expires_s:
            raise UploadForbidden("its time is over; begin a new upload")
        return slot


def _header(policy: str) -> Mapping[str, Any]:
    header: Mapping[str, Any] = jwt.get_unverified_header(policy)
    return header

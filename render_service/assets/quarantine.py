"""Quarantine: where an uploaded file waits for its check, and what a form may put there.

The rule: nothing here is believed. A slot says which name, type, length and time a form is good
for, whoever enforces it; what lies there is read by the check and by nobody else.
"""

from typing import Final, Protocol

from msgspec import Struct

FORM_S: Final = 600
"""Seconds that a form is good for: time to send the largest file, 64 MiB, at 1 Mbit/s."""


class Slot(Struct, frozen=True, kw_only=True):
    """What one form may put into quarantine.

    Attributes:
        name: The one name it may have there: an upload's id.
        media_type: The one Content-Type it may be sent as.
        least_bytes: Its least length.
        most_bytes: Its most.
        expires_s: Until when it may begin to be sent, seconds since 1970.
    """

    name: str
    media_type: str
    least_bytes: int
    most_bytes: int
    expires_s: int


class Form(Struct, frozen=True, kw_only=True):
    """A form that a browser can post: multipart/form-data.

    Attributes:
        url: Where it is posted.
        fields: Its fields, all of which come before the file, whose field is `file`.
    """

    url: str
    fields: dict[str, str]


class Quarantine(Protocol):
    """Where uploads wait; names are those of slots."""

    @property
    def place(self) -> str:
        """Where that is, for people."""
        ...

    async def offer(self, slot: Slot) -> Form:
        """Return the form that fills `slot`. It is posted straight to where the file is kept.

        Raises:
            UploadsUnavailable: None can be made.
        """
        ...

    async def size(self, name: str) -> int | None:
        """Return how many bytes have arrived under `name`; None while nothing has, whole.

        Raises:
            UploadsUnavailable: It could not be asked.
        """
        ...

    async def fetch(self, name: str, *, bytes_max: int) -> bytes | None:
        """Return what has arrived under `name`; None where nothing has, or more than `bytes_max`.

        Raises:
            UploadsUnavailable: It could not be read.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove what is under `name`, if anything is.

        Raises:
            UploadsUnavailable: It could not be removed.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...

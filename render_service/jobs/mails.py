"""Messages to people, as orders.

The rule: what is sent stands whole in the order, as text and as HTML, so whoever sends it decides
nothing; and nothing of it is shown to who looks at jobs.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from render_service.jobs.model import Kind, Order

ADDRESS: Final = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}\Z"
"""As browsers take it (HTML Living Standard), in ASCII: what every mail server does."""

Address = Annotated[str, Meta(pattern=ADDRESS)]


class Mail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message.

    Attributes:
        to: Whom it is for.
        subject: One line.
        text: For who reads no HTML.
        html: The same for who does.
    """

    to: Address
    subject: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    html: Annotated[str, Meta(min_length=1, max_length=400_000)]


def order_mail(mail: Mail, by: str, key: str | None = None) -> Order:
    """Return the job; `by` and `key` are those of `Order`.

    Raises:
        ValidationError: What is to be sent is no such message.
    """
    payload = msgspec.to_builtins(mail)
    msgspec.convert(payload, Mail)
    return Order(kind=Kind.MAIL, payload=payload, by=by, key=key, priority=0)

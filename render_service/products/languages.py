"""Which of the languages that there are is meant by the one that is asked for.

One rule for titles of lines, of options and of products: the tag itself, else what it is of (`de`
for `de-AT`; lookup of RFC 4647 section 3.4); upper and lower case are the same.
"""

from collections.abc import Iterable
from typing import Final

LENGTH_MAX: Final = 35
"""Characters of a tag that is looked up: any in use has fewer (RFC 5646 section 4.4.1)."""


def pick_language(asked: str | None, offered: Iterable[str]) -> str | None:
    """Return the tag of `offered` that `asked` means, or None."""
    tag = (asked or "").lower()
    if not tag or len(tag) > LENGTH_MAX:
        return None
    known = {one.lower(): one for one in offered}
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    return known.get(tag)

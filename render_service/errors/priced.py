"""Errors of products: what is sold is not described soundly, has no price, or a quote is refused.

Each names the field or the rate it is about, what was given, and what there is instead. None shows
what a thing costs the jeweller: rates are named by key, never by amount.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from render_service.errors.asked import InvalidSelection, NotFound
from render_service.errors.root import RenderServiceError

_TOLD: Final = 20
"""Of a list, in a message: as many as a person reads."""


class FieldFault(Struct, frozen=True, kw_only=True):
    """One thing wrong with a product.

    Attributes:
        field: Where, as `options[0].codes.gold`; "" is the product itself.
        given: What was found there, at most 200 characters of it.
        problem: What is wrong with it.
        offered: What it could be, of which 20 are told; empty where that is no list.
    """

    field: str
    given: str
    problem: str
    offered: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = f" and {len(self.offered) - _TOLD} more" if len(self.offered) > _TOLD else ""
        known = f"; offered: {', '.join(self.offered[:_TOLD])}{more}" if self.offered else ""
        return f"{self.field or 'product'}: {self.given!r} {self.problem}{known}"


class InvalidProduct(RenderServiceError):
    """A product is not described soundly; carries every fault found."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        super().__init__(
            "; ".join(map(str, faults[:_TOLD])) + more,
            errors=[
                {
                    "field": fault.field,
                    "problem": fault.problem,
                    "given": fault.given,
                    "offered": list(fault.offered[:_TOLD]),
                }
                for fault in faults
            ],
        )
        self.faults = tuple(faults)


class ProductUnreadable(RenderServiceError):
    """A product that is kept is of a shape that this program does not know."""

    def __init__(self, product: str, reason: str) -> None:
        super().__init__(f"The product {product} cannot be read by this release.", product=product)
        self.product, self.reason = product, reason


class InvalidImport(RenderServiceError):
    """Files of products or rates are broken; nothing of them was written.

    Args:
        faults: Each with its file.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        listed = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"Nothing was imported:\n{listed}")
        self.faults = tuple(faults)


class SizeNotOffered(InvalidSelection):
    """A ring size that the product is not made in."""

    def __init__(self, size: str, offered: str) -> None:
        super().__init__(
            f"The size {size[:80]!r} is not offered; {offered}.", size=size[:200], offered=offered
        )


class UnknownProduct(NotFound):
    """No product of that id is on sale."""

    def __init__(self, product: str) -> None:
        super().__init__(f"There is no product {product[:80]!r} on sale.", product=product[:200])


class UnknownSku(NotFound):
    """A SKU that is not one of the product's."""

    def __init__(self, product: str, sku: str, template: str) -> None:
        super().__init__(
            f"{product} has no SKU {sku[:80]!r}; its SKUs are of the form {template}.",
            sku=sku[:200],
            template=template,
        )


class NotPriced(RenderServiceError):
    """The rates do not give a price."""


class RateMissing(NotPriced):
    """No rate is valid at the instant.

    Args:
        kind: Kind of the rate.
        key: Its key.
        at: The instant that was asked for.
        found: What there is instead, as the end of a sentence.
    """

    def __init__(self, kind: str, key: str, at: datetime, found: str) -> None:
        super().__init__(
            f"There is no {kind} rate {key[:200]!r} at {_instant(at)}; {found}.",
            kind=kind,
            key=key[:200],
            at=_instant(at),
            found=found,
        )


class RateInOtherCurrency(NotPriced):
    """A rate is valid at the instant, but not in the currency of the price."""

    def __init__(
        self, kind: str, key: str, at: datetime, currency: str, offered: Sequence[str]
    ) -> None:
        super().__init__(
            f"The {kind} rate {key[:200]!r} at {_instant(at)} is not given in {currency}; "
            f"it is in {', '.join(offered)}.",
            kind=kind,
            key=key[:200],
            at=_instant(at),
            currency=currency,
            offered=list(offered),
        )


class RatesOverlap(NotPriced):
    """Two rates of one key and currency are valid at the same instant.

    Args:
        kind: Kind of the rates.
        key: Their key.
        at: The first instant at which both are valid.
        revisions: The two.
    """

    def __init__(self, kind: str, key: str, at: datetime, revisions: tuple[int, int]) -> None:
        super().__init__(
            f"Two {kind} rates {key[:200]!r} are valid at {_instant(at)}: revisions "
            f"{revisions[0]} and {revisions[1]}; end the one where the other begins.",
            kind=kind,
            key=key[:200],
            at=_instant(at),
            revisions=list(revisions),
        )


class QuoteRefused(RenderServiceError):
    """A quote is not honoured, or cannot be given."""


class BadQuote(QuoteRefused):
    """A token that is no quote of this service.

    Args:
        reason: What was found, as the end of a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is no quote of ours: {reason}.", reason=reason)


class ExpiredQuote(QuoteRefused):
    """A quote whose time is over.

    Args:
        expires_s: When it ended, seconds since 1970.
    """

    def __init__(self, expires_s: int) -> None:
        super().__init__(
            f"This quote expired at {_instant(datetime.fromtimestamp(expires_s, UTC))}; ask for a "
            "new one.",
            expires_s=expires_s,
        )


class QuoteTooLarge(QuoteRefused):
    """A quote with more, or longer, lines than a token may hold."""

    def __init__(self, size_bytes: int, bytes_max: int) -> None:
        super().__init__(
            f"The quote takes {size_bytes} bytes and may take {bytes_max}; shorten the titles of "
            "the product's priced parts, or have fewer of them.",
            size_bytes=size_bytes,
            bytes_max=bytes_max,
        )


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

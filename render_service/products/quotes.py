"""Quotes: what was priced, signed, so that a shop can honour it without asking anybody.

A quote is a JWT (RFC 7519) of the type `quote+jwt` under HMAC-SHA256; whoever has the keys can
verify it, and needs nothing else. Keys are derived from those that sign addresses, by a label of
their own: no signature of an address is one of a quote, and a key that leaks here signs no address.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import jwt
import msgspec
from msgspec import Struct

from render_service.errors import BadQuote, ExpiredQuote, InvalidSetting, QuoteTooLarge
from render_service.planning.signatures import SigningKey
from render_service.products.configure import Configured
from render_service.products.model import Product
from render_service.products.money import Currency
from render_service.products.price import Line, RateUsed, Tax
from render_service.products.pricing import price
from render_service.products.rates import Rates
from render_service.products.sku import make_sku

TOKEN_TYPE: Final = "quote+jwt"  # noqa: S105 - a name, not a secret
"""`typ` of the header (RFC 8725 section 3.11): no other token of ours passes for a quote."""

TOKEN_BYTES_MAX: Final = 16 * 1024
"""Nothing longer is read, or made: what most servers take as one header field, twice."""

LIFETIME_S_MAX: Final = 90 * 86_400
"""Longer than any jeweller holds a price while metals move."""

_ALGORITHM: Final = "HS256"
_LABEL: Final = b"render-service quote key 1"
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_CLAIMS: Final = ("iss", "aud", "iat", "exp", "quote")


class Quote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was priced, complete: an order can be made from it.

    Attributes:
        product: Its id.
        revision: Of the product, as it was priced.
        composition: Id of what draws it.
        configuration: The product's options and their values.
        hash: The configuration's name.
        size: Ring size in millimetres, as `52.5`; None where the product has no sizes.
        sku: What is ordered.
        currency: Of every amount.
        lines: They sum to the total.
        total_minor: What is paid, tax included.
        tax: What of it is tax.
        rates: The rates used.
        issued_s: When it was given, and the instant of its price: seconds since 1970.
        expires_s: The first second at which it does not count any more.
    """

    product: str
    revision: int
    composition: str
    configuration: Mapping[str, str]
    hash: str
    size: str | None
    sku: str
    currency: Currency
    lines: tuple[Line, ...]
    total_minor: int
    tax: Tax
    rates: tuple[RateUsed, ...]
    issued_s: int
    expires_s: int


def make_quote(
    product: Product,
    revision: int,
    configured: Configured,
    rates: Rates,
    *,
    issued_s: int,
    lifetime_s: int,
    language: str | None = None,
) -> Quote:
    """Return the quote for a configuration of `product`, priced at the instant it is issued.

    Args:
        product: What is sold.
        revision: Of the product.
        configured: A configuration of it.
        rates: What metals, stones and taxes cost.
        issued_s: Seconds since 1970.
        lifetime_s: How long it counts, from 1 to `LIFETIME_S_MAX`.
        language: Of the titles of lines.

    Raises:
        NotPriced: The rates give no price.
        InvalidProduct: A table or a code of the product does not cover the configuration.
    """
    if not 1 <= lifetime_s <= LIFETIME_S_MAX:
        raise ValueError(f"A quote counts for 1 to {LIFETIME_S_MAX} s, not {lifetime_s}")
    at = datetime.fromtimestamp(issued_s, UTC)
    found = price(configured, product, rates, at, language=language)
    return Quote(
        product=product.id,
        revision=revision,
        composition=product.composition,
        configuration=configured.configuration,
        hash=configured.hash,
        size=configured.size,
        sku=make_sku(product, configured),
        currency=found.currency,
        lines=found.lines,
        total_minor=found.total_minor,
        tax=found.tax,
        rates=found.rates,
        issued_s=issued_s,
        expires_s=issued_s + lifetime_s,
    )


class QuoteSigner:
    """Signs quotes with the first of its keys, and verifies those of all.

    Args:
        keys: Those of RENDER_SIGNING_KEYS, at most two; none signs nothing and knows nothing.
        issuer: Who gives the quotes, e.g. the service's public address.
        audience: Who they are for, e.g. the shop's name.
    """

    def __init__(self, keys: Sequence[SigningKey], *, issuer: str, audience: str) -> None:
        self._keys = {key.id: derive_quote_key(key.secret) for key in keys}
        self._issuer, self._audience = issuer, audience

    def sign(self, quote: Quote) -> str:
        """Return `quote` as a token.

        Raises:
            InvalidSetting: There is no key to sign with.
            QuoteTooLarge: The token would be over `TOKEN_BYTES_MAX`.
        """
        if not self._keys:
            raise InvalidSetting(
                "RENDER_SIGNING_KEYS is empty; `render-service keys make` makes a key."
            )
        key_id, key = next(iter(self._keys.items()))
        body = msgspec.to_builtins(quote)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": body.pop("issued_s"),
            "exp": body.pop("expires_s"),
            "quote": body,
        }
        head = {"typ": TOKEN_TYPE, "kid": key_id}
        token = jwt.encode(claims, key, algorithm=_ALGORITHM, headers=head)
        if len(token) > TOKEN_BYTES_MAX:
            raise QuoteTooLarge(len(token), TOKEN_BYTES_MAX)
        return token

    def verify(self, token: str, now_s: int) -> Quote:
        """Return the quote that `token` is.

        Args:
            token: As it was signed.
            now_s: The time now, seconds since 1970.

        Raises:
            BadQuote: It is no quote of this issuer, for this audience, under one of the keys.
            ExpiredQuote: It is, and its time is over.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise BadQuote(f"it is over {TOKEN_BYTES_MAX} bytes long")
        if _FORM.fullmatch(token) is None:
            raise BadQuote("it is not a JWT")
        claims = self._claims(token, self._key(_header(token)))
        try:
            body = {**claims["quote"], "issued_s": claims["iat"], "expires_s": claims["exp"]}
            quote = msgspec.convert(body, Quote)
        except (msgspec.ValidationError, TypeError) as error:
            raise BadQuote("its payload is of another release's shape") from error
        if now_s >= quote.expires_s:
            raise ExpiredQuote(quote.expires_s)
        return quote

    def _key(self, header: Mapping[str, Any]) -> bytes:
        """Return the key that the header names, having refused any header not of ours."""
        if header.get("alg") != _ALGORITHM:
            raise BadQuote(f"its alg is {_cut(header.get('alg'))}; quotes have {_ALGORITHM}")
        if header.get("typ") != TOKEN_TYPE:
            raise BadQuote(f"its typ is {_cut(header.get('typ'))}; quotes have {TOKEN_TYPE}")
        if header.keys() != _HEADER:
            raise BadQuote("its header has other members than alg, typ and kid")
        key = self._keys.get(header["kid"]) if isinstance(header["kid"], str) else None
        if key is None:
            raise BadQuote(f"no key is known by its kid, {_cut(header['kid'])}")
        return key

    def _claims(self, token: str, key: bytes) -> Mapping[str, Any]:
        """Return the claims of `token`, whose signature, issuer and audience hold."""
        # Time is an argument here, and PyJWT would ask the clock.
        options: Any = {
            "require": list(_CLAIMS),
            "strict_aud": True,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        }
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options=options,
            )
        except jwt.InvalidAudienceError as error:
            raise BadQuote(f"it is not for {self._audience}") from error
        except jwt.InvalidIssuerError as error:
            raise BadQuote(f"it is not from {self._issuer}") from error
        except jwt.InvalidSignatureError as error:
            raise BadQuote("its signature does not hold for it") from error
        except jwt.InvalidTokenError as error:
            raise BadQuote("its claims are not those of a quote") from error


def derive_quote_key(secret: bytes) -> bytes:
    """Return the key of quotes that belongs to a signing secret: HMAC-SHA256 of a label.

    What signs addresses never signs a message that is this label, so the key cannot be had from
    signatures, and the secret cannot be had from the key.
    """
    return hmac.digest(secret, _LABEL, hashlib.sha256)


def _header(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise BadQuote("its header cannot be read") from error


def _cut(given: object) -> str:
    return repr(given)[:80]

"""The JSON API of rates: all there ever were, as one list that is read, changed and put back.

Rates are what things cost the jeweller, so they are shown to nobody but who may write them.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import Controller, Response, get, put

from render_service.adapters.product_desk import Desk
from render_service.auth.scopes import Caller, Scope
from render_service.errors import PreconditionMissing
from render_service.http.access import requires
from render_service.http.asked import invalid, read_body, refuse_media_type, refuse_query
from render_service.http.compositions import Asked, body_of
from render_service.http.preconditions import NOT_KEPT, position_header
from render_service.http.stated_writes import RateList
from render_service.products.parse import PRODUCT_BYTES_MAX
from render_service.products.rates import Rate, Rates

_MAY_WRITE: Final = [requires(Scope.CATALOGUE_WRITE)]


class RateWrites(Controller):
    """Routes under `/v1/rates`."""

    path = "/v1/rates"
    tags = ("Rates",)
    request_max_body_size = PRODUCT_BYTES_MAX

    @get(summary="All rates", guards=_MAY_WRITE)
    async def list_all(self, request: Asked, desk: Desk) -> Response[RateList]:
        """What metals, stones and taxes cost, cost once, and will, by kind, key and instant."""
        refuse_query(request.scope["query_string"])
        return _shown(await desk.read_rates())

    @put(summary="Make the rates what is sent", guards=_MAY_WRITE)
    async def replace(self, request: Asked, desk: Desk, caller: Caller) -> Response[RateList]:
        """The desired state: a rate that is not sent is removed. `If-Match` the list's ETag."""
        refuse_query(request.scope["query_string"])
        refuse_media_type(request.headers.get("content-type"))
        match = request.headers.get("if-match")
        if match is None:
            raise PreconditionMissing(creates=False)
        rates = read_body(await body_of(request), RateList).rates
        _check(rates)
        kept, position = await desk.put_rates(
            rates, lambda there: _matches(match, there), caller.name
        )
        return _shown(kept, position)


def _check(rates: Sequence[Rate]) -> None:
    """Refuse two rates of one beginning; `Rates` refuses those that overlap.

    Raises:
        InvalidBody: The second of them, by its place.
        RatesOverlap: As told.
    """
    seen = set()
    for index, rate in enumerate(rates):
        name = (rate.kind, rate.key, rate.currency, rate.valid_from)
        if name in seen:
            raise invalid(
                [(f"rates[{index}].valid_from", f"is that of another rate of {rate.key}")]
            )
        seen.add(name)
    Rates(rates)


def _matches(match: str, there: Sequence[Rate]) -> bool:
    return match.strip() == "*" or match.strip() == _etag(there)


def _etag(rates: Sequence[Rate]) -> str:
    return f'"{hashlib.sha256(msgspec.json.encode(rates)).hexdigest()[:32]}"'


def _shown(rates: Sequence[Rate], position: str = "") -> Response[RateList]:
    after = position_header(position) if position else {}
    return Response(
        content=RateList(rates=list(rates)), headers={"etag": _etag(rates), **NOT_KEPT, **after}
    )

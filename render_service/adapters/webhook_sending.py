"""Deliveries over HTTP to addresses that strangers name: aiohttp, and only to where it may go.

The rule: every address that a name has is checked, and the connection is made to one of those very
addresses: what the name means a moment later makes no difference. No redirect is followed, no
proxy and no cookie used, and of the answer no more is read than is shown.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from render_service.errors import InvalidSetting
from render_service.jobs.webhooks import Try

TIMEOUT_S: Final = 15.0
"""Standard Webhooks recommends 15 to 30."""

SAID_BYTES_MAX: Final = 1000
"""Of an answer: what a person reads of it."""

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_networks(words: str) -> tuple[Network, ...]:
    """Return the networks of RENDER_WEBHOOK_NETWORKS.

    Raises:
        InvalidSetting: One is none.
    """
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in words.split(",") if one.strip())
    except ValueError as error:
        raise InvalidSetting(f"RENDER_WEBHOOK_NETWORKS: {error}.") from error


class AddressRefused(OSError):
    """A name leads to where nothing is sent."""


class Sender:
    """Sends deliveries. Owned by one event loop."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        """Name the networks that may be sent to although they are not public."""
        self._networks = tuple(networks)

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Try:
        """Post `body` to `url` once; return what came of it, whatever that is."""
        at, begun_s = datetime.now(UTC), time.monotonic()
        status: int | None = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, said = await self._post(URL(url), body, headers)
        except TimeoutError:
            said = f"no answer within {TIMEOUT_S:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            said = _told(error)
        took_ms = round((time.monotonic() - begun_s) * 1000)
        # PostgreSQL keeps no NUL.
        return Try(at=at, took_ms=took_ms, status=status, said=said.replace("\0", ""))

    async def _post(self, url: URL, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        resolver = _Checked(self._networks, is_plain=url.scheme == "http")
        # aiohttp asks no resolver about what is an address already.
        if (literal := _address(url.host or "")) is not None:
            resolver.check(literal, url.host or "")
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            said = await answer.content.read(SAID_BYTES_MAX)
            return answer.status, said.decode(errors="replace")


class _Checked(AbstractResolver):
    """Resolves names to addresses that may be sent to."""

    def __init__(self, networks: Sequence[Network], *, is_plain: bool) -> None:
        self._networks, self._is_plain = networks, is_plain

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM
        )
        for _, _, _, _, place in found:
            self.check(ipaddress.ip_address(str(place[0]).partition("%")[0]), host)
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def check(self, address: _Address, host: str) -> None:
        """Refuse an address that nothing is sent to.

        Raises:
            AddressRefused: It is not public, or not to be trusted with what is not encrypted.
        """
        meant = _unwrapped(address)
        if any(meant in network for network in self._networks):
            return
        if not meant.is_global or meant.is_multicast or meant.is_reserved:
            raise AddressRefused(
                f"{host} leads to {address}, which is not public; the operator may name networks "
                "that are told nevertheless (RENDER_WEBHOOK_NETWORKS)"
            )
        if self._is_plain:
            raise AddressRefused(f"{host} leads to {address}: what is public needs https")


def _unwrapped(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _told(error: Exception) -> str:
    """Why there was no answer; a refusal hides in what aiohttp makes of it."""
    cause = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
        if isinstance(cause, AddressRefused):
            return str(cause)
    return (str(error) or type(error).__name__)[:SAID_BYTES_MAX]

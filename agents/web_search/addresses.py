"""From which addresses a page may be fetched: of the public internet only, whatever a URL, a name or a redirect says.

After OWASP's "Server-Side Request Forgery Prevention Cheat Sheet": one parser reads the URL, all addresses of the name
are looked at, and the connection goes to the very address that was looked at (see `agents.web_search.pages`), so that a
name which resolves anew to something else (DNS rebinding) changes nothing.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""From a host's name and a port to all its addresses; raises OSError when there is none."""

LONGEST_URL = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})+", re.IGNORECASE)
# How the WHATWG URL Standard (section 3.5) tells that a host is meant as an IPv4 address, in any of its spellings.
_NUMERIC_END = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)$", re.IGNORECASE)

_CLOUD_METADATA = (ip_address("168.63.129.16"),)
"""Azure's; it alone lies among the public addresses (169.254.169.254, fd00:ec2::254, 100.100.100.200 do not)."""
_PUBLIC_IPV6 = ip_network("2000::/3")
"""What IANA gives out as global unicast. Beyond it lie the mapped, translated and local addresses."""
_TUNNELS = (ip_network("2001::/23"), ip_network("2002::/16"), ip_network("3fff::/20"))
"""Teredo, 6to4 and the like carry IPv4 addresses inside; the last is for documentation."""
_RELAYS = (ip_network("192.88.99.0/24"),)


class RefusedAddress(Exception):
    """No page is fetched from there; the message says why."""


@dataclass(frozen=True)
class AddressRules:
    """`ports` that may be asked, and networks that are trusted though they are not public."""

    ports: frozenset[int] = frozenset(_DEFAULT_PORTS.values())
    trusted: tuple[Network, ...] = ()

    def allows(self, address: Address) -> bool:
        """Whether a connection to `address` may be made."""
        if any(address.version == network.version and address in network for network in self.trusted):
            return True
        return is_public(address)


def is_public(address: Address) -> bool:
    """Whether `address` belongs to a host of the public internet."""
    if not address.is_global or address.is_multicast or address.is_reserved or address in _CLOUD_METADATA:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _RELAYS)
    return address in _PUBLIC_IPV6 and not any(address in network for network in _TUNNELS)


def accepted_url(text: str, rules: AddressRules) -> httpx.URL:
    """`text` as a URL that may be looked up.

    Raises:
        RefusedAddress: it is none, its scheme is not http or https, it names a user, a port that is not among the
            rules', or a host that is neither a full name nor an address in its usual spelling.
    """
    if len(text) > LONGEST_URL:
        raise RefusedAddress(f"the URL is longer than {LONGEST_URL} characters")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedAddress(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in _DEFAULT_PORTS:
        raise RefusedAddress(f"the scheme of {text!r} is {url.scheme!r}; only http and https are fetched")
    if url.userinfo:
        raise RefusedAddress(f"{text!r} names a user; URLs with credentials are not fetched")
    if port_of(url) not in rules.ports:
        raise RefusedAddress(f"the port of {text!r} is {port_of(url)}; only {sorted(rules.ports)} are asked")
    host = url.raw_host.decode("ascii").removesuffix(".")
    if _literal(host) is None and (_NUMERIC_END.search(host) or not _NAME.fullmatch(host)):
        raise RefusedAddress(f"the host of {text!r} is neither a full name nor an address in its usual spelling")
    return url


async def checked_address(url: httpx.URL, resolve: Resolver, rules: AddressRules) -> Address:
    """The address to connect to for `url`, which `accepted_url` let through.

    Raises:
        RefusedAddress: the host has no address, or any one of its addresses is not public.
    """
    host = url.raw_host.decode("ascii").removesuffix(".")
    literal = _literal(host)
    if literal is not None:
        addresses: list[Address] = [literal]
    else:
        try:
            addresses = [ip_address(address) for address in await resolve(host, port_of(url))]
        except OSError as error:
            raise RefusedAddress(f"the host {host!r} has no address") from error
    if not addresses:
        raise RefusedAddress(f"the host {host!r} has no address")
    if any(not rules.allows(address) for address in addresses):
        # Which address it is would tell the caller about the network that this server is in.
        raise RefusedAddress(f"the host {host!r} is not on the public internet")
    return addresses[0]


def port_of(url: httpx.URL) -> int:
    """The port that `url` names or its scheme implies."""
    return url.port if url.port is not None else _DEFAULT_PORTS[url.scheme]


async def system_resolver(host: str, port: int) -> list[str]:
    """All addresses that the operating system knows for `host`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None

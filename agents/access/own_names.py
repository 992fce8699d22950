"""Under which names the service answers where nobody signs in, as plain ASGI."""

import ipaddress

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from agents.access.policy import opening_scopes
from agents.errors import error_response

LOOPBACK_NAMES = [f"{name}{port}" for name in ("127.0.0.1", "localhost", "[::1]") for port in ("", ":*")]
"""What no site of somebody else can be called."""


class OwnNames:
    """Refuses what comes over the loopback address under the name of somebody else.

    A page whose name was changed to that address (DNS rebinding) is of the same site as the service for its browser,
    so its name alone tells them apart. Other addresses have names that nobody told the service, and no path that is
    open to everybody is closed by this.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: list[str]) -> None:
        self._app = app
        # The rule of /mcp, by its own code.
        self._rule = TransportSecurityMiddleware(
            TransportSecuritySettings(allowed_hosts=[*LOOPBACK_NAMES, *allowed_hosts])
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not opening_scopes(scope["path"]) or not _came_over_loopback(scope):
            await self._app(scope, receive, send)
            return
        named = [(name, value) for name, value in scope["headers"] if name == b"host"]
        # The rule looks at Origin too, which the page of the service itself sends.
        if await self._rule.validate_request(Request({"type": "http", "headers": named})) is None:
            await self._app(scope, receive, send)
            return
        refusal = error_response(421, "the service does not answer under the name in the header Host", "unknown_host")
        await refusal(scope, receive, send)


def _came_over_loopback(scope: Scope) -> bool:
    server = scope.get("server")
    try:
        address = ipaddress.ip_address(server[0] if server else "")
    except ValueError:  # a Unix socket, which no browser reaches
        return False
    # A socket for both families sees those of IPv4 as mapped ones.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback

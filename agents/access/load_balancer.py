"""People whom an AWS load balancer signed in (OIDC), by the token that it adds to their requests.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html,
"User claims encoding and signature verification": ES256, the signer and client in the token's header, and the public
key below a regional address.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
from cachetools import TLRUCache
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from agents.access.settings import LoadBalancer
from agents.caller import Caller

HEADER = "x-amzn-oidc-data"
KEY_SECONDS = 3600
NO_KEY_SECONDS = 30
"""A key that is new may not be everywhere yet, and whoever it signs in is refused as long."""
FETCH_SECONDS = 3.0
LEEWAY_SECONDS = 30
_KEY_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class InvalidToken(Exception):
    """The token proves nobody's identity; says why, without quoting it."""


class KeysUnavailable(Exception):
    """The load balancer's public keys cannot be fetched."""


class LoadBalancerTokens:
    """Verifies tokens; keys are fetched once an hour, and one that does not exist is not asked for again at once.

    `clock` tells seconds.
    """

    def __init__(self, settings: LoadBalancer, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False)
        self._keys: TLRUCache[str, EllipticCurvePublicKey | None] = TLRUCache(64, _kept_until, clock)
        self._fetching = asyncio.Lock()

    async def caller(self, token: str) -> Caller:
        """Whoever `token` was made for.

        Raises:
            InvalidToken: it is not signed by the load balancer for this client, or too old.
            KeysUnavailable: it cannot be verified now.
        """
        key = await self._key(self._checked_header(token))
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                leeway=LEEWAY_SECONDS,
                # The audience of these tokens is in their header, as `client`.
                options={"require": ["sub"], "verify_aud": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken(f"the load balancer's token is refused: {error}") from error
        return Caller(f"person:{claims['sub']}", "person", frozenset(self._settings.scopes))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _checked_header(self, token: str) -> str:
        """The id of the key; everything else that the header says is checked, and signed by that key."""
        try:
            header: dict[str, Any] = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise InvalidToken(f"the load balancer's token cannot be read: {error}") from error
        key_id, signer, expires = header.get("kid"), header.get("signer"), header.get("exp")
        if header.get("alg") != "ES256":
            raise InvalidToken("the load balancer's token is not signed with ES256")
        if not isinstance(signer, str) or not self._is_ours(signer):
            raise InvalidToken("the load balancer's token was signed by another load balancer")
        if header.get("client") != self._settings.client:
            raise InvalidToken("the load balancer's token is for another client")
        if self._settings.issuer is not None and header.get("iss") != self._settings.issuer:
            raise InvalidToken("the load balancer's token was issued for a user of another identity provider")
        if not isinstance(expires, int) or expires + LEEWAY_SECONDS < time.time():
            raise InvalidToken("the load balancer's token has expired")
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
            raise InvalidToken("the load balancer's token does not name its key")
        return key_id

    def _is_ours(self, signer: str) -> bool:
        ours = self._settings.signer
        return signer.startswith(ours) if ours.endswith("/") else signer == ours

    async def _key(self, key_id: str) -> EllipticCurvePublicKey:
        try:
            key = self._keys[key_id]
        except KeyError:
            key = await self._new_key(key_id)
        if key is None:
            raise InvalidToken("the load balancer's token names a key that does not exist")
        return key

    async def _new_key(self, key_id: str) -> EllipticCurvePublicKey | None:
        async with self._fetching:
            try:
                return self._keys[key_id]  # whoever was before in the queue may have asked for the same
            except KeyError:
                key = self._keys[key_id] = await self._fetch(key_id)
                return key

    async def _fetch(self, key_id: str) -> EllipticCurvePublicKey | None:
        url = f"{self._settings.keys_url}/{key_id}"
        try:
            response = await self._client.get(url)
        except httpx.HTTPError as error:
            raise KeysUnavailable(f"the load balancer's key at {url} cannot be fetched: {error!r}") from error
        if response.status_code in {400, 403, 404}:
            return None
        if not response.is_success:
            raise KeysUnavailable(f"{url} answered with status {response.status_code}")
        try:
            key = load_pem_public_key(response.content)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeysUnavailable(f"{url} did not return a public key: {error}") from error
        if not isinstance(key, EllipticCurvePublicKey):
            raise KeysUnavailable(f"{url} did not return an elliptic-curve key")
        return key


def _kept_until(_: str, key: EllipticCurvePublicKey | None, now: float) -> float:
    return now + (NO_KEY_SECONDS if key is None else KEY_SECONDS)

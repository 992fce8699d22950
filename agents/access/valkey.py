"""A connection pool to Valkey, signed in to ElastiCache with the service's own AWS identity where that is wanted."""

import asyncio
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as NoConnection

from agents.access.settings import ElastiCache, Valkey

SECONDS = 0.25
"""What a request waits for Valkey; it is next door, and when it is away, requests go on without it."""
TOKEN_SECONDS = 900
CREDENTIALS_SECONDS = 1.0
"""What a request waits for AWS credentials, which a new connection needs."""


def open_valkey(settings: Valkey) -> Redis:
    """A client that connects when it is first used; a call that fails is not repeated."""
    identity = settings.elasticache
    return Redis(
        host=settings.host,
        port=settings.port,
        ssl=settings.tls,
        username=settings.user if identity is None else None,
        credential_provider=None if identity is None else OwnIdentity(settings.user or "", identity),
        socket_timeout=SECONDS,
        socket_connect_timeout=2 * SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


class OwnIdentity(CredentialProvider):
    """A user's name and a token that is good for one sign-in within 15 minutes.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """

    def __init__(self, user: str, cache: ElastiCache) -> None:
        self._user = user
        self._cache = cache
        self._asking: asyncio.Future[tuple[str, str]] | None = None

    def get_credentials(self) -> tuple[str, str]:
        """The user and a new token; asks AWS for credentials, and blocks while it does.

        Raises:
            redis.exceptions.ConnectionError, BotoCoreError, ClientError: there are none.
        """
        session = boto3.Session(region_name=self._cache.region)
        credentials = session.get_credentials()
        if credentials is None:
            raise NoConnection("there are no AWS credentials to sign in to the cache with")
        signer: Any = RequestSigner(
            ServiceId("elasticache"), self._cache.region, "elasticache", "v4", credentials, session.events
        )
        request: dict[str, Any] = {
            "method": "GET",
            "url": f"https://{self._cache.name}/?Action=connect&User={self._user}",
            "body": {},
            "headers": {},
            "context": {},
        }
        url: str = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=TOKEN_SECONDS, region_name=self._cache.region
        )
        return self._user, url.removeprefix("https://")

    async def get_credentials_async(self) -> tuple[str, str]:
        """The same, without blocking the event loop.

        Raises:
            redis.exceptions.ConnectionError: there are none, or not in time.
        """
        # A thread that waits for AWS cannot be stopped: whoever connects next waits for the same one.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().run_in_executor(None, self.get_credentials)
        try:
            async with asyncio.timeout(CREDENTIALS_SECONDS):
                return await asyncio.shield(self._asking)
        except TimeoutError as error:
            raise NoConnection(f"AWS gave no credentials within {CREDENTIALS_SECONDS:g} s") from error
        except (BotoCoreError, ClientError) as error:
            raise NoConnection(f"there are no AWS credentials to sign in to the cache with: {error}") from error

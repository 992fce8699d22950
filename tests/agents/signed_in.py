"""Callers of every kind, for a service that wants to know who asks: API keys, and a load balancer played here."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from agents.access.api_key import make_key
from agents.caller import SCOPES, Scope
from agents.state.api_keys import ApiKey, ApiKeys, Revocations
from agents.state.database import StateDatabase
from agents.state.settings import SqliteSettings
from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port

SIGNER = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/agentic-eks-dev/"
CLIENT = "client-of-the-load-balancer"
ISSUER = "https://id.example.com/"
KEY_ID = "0f4cf26b-1c3e-4f34-a6d3-5b5a8d0d7d11"

Headers = dict[str, str]


@dataclass(frozen=True)
class PlayedLoadBalancer:
    """Signs people in as an Application Load Balancer does, and publishes its key as AWS does."""

    keys_url: str
    key: ec.EllipticCurvePrivateKey

    def headers(self, subject: str = "ada", **changed: Any) -> Headers:
        """The headers of a request of `subject`; `changed` is what the token says otherwise than it should."""
        now = int(time.time())
        header = {"kid": KEY_ID, "signer": f"{SIGNER}50dc6c495c0c9188", "iss": ISSUER, "client": CLIENT}
        header |= {"exp": now + 120, **{name: changed[name] for name in changed if name in (*header, "exp")}}
        claims = {"sub": subject, "email": "ada@example.com", "exp": changed.get("exp", now + 120)}
        key = changed.get("key", self.key)
        algorithm = changed.get("algorithm", "ES256")
        token = jwt.encode(claims, key, algorithm=algorithm, headers=header)
        # The load balancer pads the parts of its tokens, which the standard forbids.
        return {"x-amzn-oidc-data": token, "x-amzn-oidc-identity": subject}


@contextmanager
def played_load_balancer() -> Generator[PlayedLoadBalancer]:
    """Its key server on loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    app = FastAPI()

    @app.get("/{key_id}")
    async def public_key(key_id: str) -> Response:
        if key_id != KEY_ID:
            return PlainTextResponse("no such key", 404)
        return PlainTextResponse(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    server = ThreadedServer(app, free_port())
    server.start()
    try:
        yield PlayedLoadBalancer(server.url, key)
    finally:
        server.stop()


@dataclass(frozen=True)
class Doorkeeper:
    """Gives out keys of a service's state database, and takes them back."""

    path: Path

    def key(self, owner: str, scopes: tuple[Scope, ...] = SCOPES[:3], days: float = 1) -> str:
        """A new key."""
        text, kept = make_key(owner, scopes, days)
        asyncio.run(self._add(kept))
        return text

    def headers(self, owner: str, scopes: tuple[Scope, ...] = SCOPES[:3], days: float = 1) -> Headers:
        """The headers of a request with a new key."""
        return bearer(self.key(owner, scopes, days))

    def revoke(self, subject: str) -> None:
        """Do not let `subject` in any more."""
        asyncio.run(self._revoke(subject))

    async def _add(self, key: ApiKey) -> None:
        database = StateDatabase(SqliteSettings(self.path))
        await ApiKeys(database).add(key)
        await database.close()

    async def _revoke(self, subject: str) -> None:
        database = StateDatabase(SqliteSettings(self.path))
        await Revocations(database).revoke(subject)
        await database.close()


def bearer(key: str) -> Headers:
    """The headers of a request with `key`."""
    return {"authorization": f"Bearer {key}"}


def access(
    state: Path, balancer: PlayedLoadBalancer | None = None, operator_key_file: str | None = None, **more: Any
) -> dict[str, Any]:
    """The settings of a service whose callers sign in, with its state in the SQLite file `state`."""
    settings: dict[str, Any] = {"required": True, "operator_key_file": operator_key_file}
    if balancer is not None:
        known_by = {"client": CLIENT, "issuer": ISSUER, "keys_url": balancer.keys_url}
        settings["load_balancer"] = {"signer": SIGNER, **known_by}
    return {"sign_in": settings, "state": {"engine": "sqlite", "path": str(state)}, **more}

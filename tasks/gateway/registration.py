"""The keys of the gateway's clients, as the gateway keeps them.

Source: https://docs.litellm.ai/docs/proxy/virtual_keys; `key_management_endpoints.py` of the pinned LiteLLM.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import httpx
from pydantic import BaseModel, SecretStr

from tasks.environment.gateway import ClientBudget, GatewayClient

DURATIONS = {"day": "1d", "week": "7d", "month": "1mo"}
# What an alias ends with: aliases are unique, and a client whose key was renewed has two.
ALIAS_DIGITS = 8
MOST_KEYS = 100


class ClientNotRegistered(Exception):
    """A client of the gateway has no key there, or not the budget that the environment file gives it."""


@dataclass(frozen=True)
class Registration:
    """How many keys of a client the gateway lets in, and how many of them were `added`, and others `removed`."""

    keys: int
    added: int
    removed: int


class _Key(BaseModel):
    """A key that the gateway knows; `token` is its SHA-256, and `spend` is in US dollars since the budget began."""

    token: str
    key_alias: str | None = None
    spend: float = 0
    max_budget: float | None = None
    budget_duration: str | None = None


class _Keys(BaseModel):
    keys: list[_Key]


def register(
    gateway: httpx.Client, client: GatewayClient, keys: Sequence[SecretStr], budget: ClientBudget | None
) -> Registration:
    """Have the gateway let in `keys` of `client`, and then none of its others; `gateway` sends the master key.

    A new key goes on with what was spent by the one before it.

    Raises:
        ClientNotRegistered: the gateway refuses, such as one without a database.
        HTTPError: it does not answer.
    """
    usd, every = (None, None) if budget is None else (budget.usd, DURATIONS[budget.every])
    limit = {"max_budget": usd, "budget_duration": every}
    known = {key.token: key for key in _known(gateway, client)}
    spent = max((key.spend for key in known.values()), default=0.0)
    wanted = {sha256(key.get_secret_value().encode()).hexdigest(): key for key in keys}
    for token, key in wanted.items():
        if token not in known:
            made = {"key": key.get_secret_value(), "key_alias": f"{client.value}-{token[:ALIAS_DIGITS]}"}
            # A key of this type asks models, and cannot make or change keys.
            _change(gateway, "/key/generate", {**made, "key_type": "llm_api", "spend": spent, **limit})
        elif known[token].model_dump(include=set(limit)) != limit:
            _change(gateway, "/key/update", {"key": token, **limit})
    outdated = sorted(known.keys() - wanted.keys())
    if outdated:
        _change(gateway, "/key/delete", {"keys": outdated})
    return Registration(len(wanted), added=len(wanted.keys() - known.keys()), removed=len(outdated))


def client_of(alias: str) -> GatewayClient | None:
    """Whose key has this alias; None for one that somebody else made."""
    found = re.fullmatch(rf"({'|'.join(GatewayClient)})-[0-9a-f]{{{ALIAS_DIGITS}}}", alias)
    return GatewayClient(found[1]) if found else None


def _known(gateway: httpx.Client, client: GatewayClient) -> list[_Key]:
    alike = {"key_alias": f"{client.value}-", "substring_matching": True, "return_full_object": True, "size": MOST_KEYS}
    answer = gateway.get("/key/list", params=alike)
    _require(answer)
    keys = _Keys.model_validate_json(answer.content).keys
    return [key for key in keys if key.key_alias is not None and client_of(key.key_alias) is client]


def _change(gateway: httpx.Client, path: str, body: Mapping[str, object]) -> None:
    _require(gateway.post(path, json=body))


def _require(answer: httpx.Response) -> None:
    if not answer.is_success:
        # Without the body, in which a gateway may quote a key.
        raise ClientNotRegistered(
            f"the gateway answers {answer.status_code} to {answer.request.method} {answer.request.url.path}: its own "
            "log says why; without data.postgres.litellm it keeps no keys"
        )

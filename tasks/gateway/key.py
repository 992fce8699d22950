"""Which value of a renewed key the gateway lets in.

It has the former master key until it is started again, and a client's new one once it is registered.
"""

from collections.abc import Mapping, Sequence

import httpx
from pydantic import BaseModel, SecretStr

_SECONDS = 60
# What LiteLLM answers beyond a budget.
_SPENT = 422


class _Error(BaseModel):
    type: str | None = None


class _Refusal(BaseModel):
    error: _Error = _Error()


class GatewayKeyRefused(Exception):
    """The gateway lets in no value of a key."""


def forwarded_client(address: str) -> httpx.Client:
    """A client of a gateway that is forwarded to `address` on this machine; close it."""
    # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
    return httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)


def accepted_gateway_key(gateway: httpx.Client, keys: Sequence[SecretStr]) -> SecretStr:
    """The first of `keys` (see `stored_values`) that the gateway at the client's base URL lets in.

    Raises:
        GatewayKeyRefused: it lets in none of them.
        HTTPError: it does not answer.
    """
    statuses: list[str] = []
    for key in keys:
        answer = gateway.get("/v1/models", headers=bearer(key))
        if answer.is_success or _is_spent(answer):
            return key
        # Without the body, in which a gateway may quote the key.
        statuses.append(str(answer.status_code))
    raise GatewayKeyRefused(
        f"the gateway answers GET {gateway.base_url}/v1/models with {', '.join(statuses)} to the present and the "
        "former value of the key: see whether its pods are well, and whether External Secrets could read its master "
        "key; the flow models registers the keys of its clients"
    )


def _is_spent(answer: httpx.Response) -> bool:
    """Whether the gateway knows the key, and refuses because its budget is spent; models that cost nothing are open."""
    if answer.status_code != _SPENT:
        return False
    return _Refusal.model_validate_json(answer.content).error.type == "budget_exceeded"


def bearer(key: SecretStr) -> Mapping[str, str]:
    """The header of a request to the gateway."""
    return {"authorization": f"Bearer {key.get_secret_value()}"}

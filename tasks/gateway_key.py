"""Which of a renewed master key's values the gateway lets in: it has the former one until it is started again."""

from collections.abc import Mapping, Sequence

import httpx
from pydantic import SecretStr

_SECONDS = 60


class GatewayKeyRefused(Exception):
    """The gateway lets none of its master key's values in."""


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
        if answer.is_success:
            return key
        # Without the body, in which a gateway may quote the key.
        statuses.append(str(answer.status_code))
    raise GatewayKeyRefused(
        f"the gateway answers GET {gateway.base_url}/v1/models with {', '.join(statuses)} to the present and the "
        "former value of its key: see whether its pods are well, and whether External Secrets could read the key"
    )


def bearer(key: SecretStr) -> Mapping[str, str]:
    """The header of a request to the gateway."""
    return {"authorization": f"Bearer {key.get_secret_value()}"}

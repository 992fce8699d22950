"""Sections that need a secret, or a caller who signs in, have what they need."""

from typing import TYPE_CHECKING

from tasks.environment.agents import GATE_KEY
from tasks.environment.gateway import GatewayClient

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_web_search_key(environment: "Environment") -> None:
    """Web search says where its key is: in a variable on a laptop, in a secret on AWS. Raises `ValueError`."""
    search = environment.agents.web_search
    if search is None:
        return
    if (search.key_variable is None) == (search.key_secret is None) or (search.key_secret is None) == (
        environment.data is not None
    ):
        raise ValueError(
            "agents.web_search needs key_variable in 'local', and key_secret in every other environment; it has "
            f"key_variable = {search.key_variable!r} and key_secret = {search.key_secret!r}"
        )
    if environment.data is not None and search.key_secret not in environment.data.secrets:
        raise ValueError(
            f"agents.web_search.key_secret = {search.key_secret!r} must be a name of data.secrets; "
            f"there are {', '.join(sorted(environment.data.secrets)) or 'none'}"
        )


def require_prefect_credentials(environment: "Environment") -> None:
    """What the service and the worker sign in with at Prefect is a secret of a person. Raises `ValueError`."""
    freshness = environment.agents.freshness
    given = {
        "agents.freshness.prefect_credentials": freshness.prefect_credentials if freshness else None,
        "environment.prefect.credentials": environment.environment.prefect.credentials,
    }
    for key, credentials in given.items():
        if credentials is not None:
            _require_supplied(environment, key, credentials.secret)


def _require_supplied(environment: "Environment", key: str, secret: str) -> None:
    if environment.data is None:
        raise ValueError(
            f"{key} is for environments on AWS: 'local' asks its own Prefect server, where nobody signs in"
        )
    supplied = sorted(name for name, each in environment.data.secrets.items() if each.origin == "person")
    if secret not in supplied:
        raise ValueError(
            f"{key}.secret = {secret!r} must be a name of data.secrets whose origin is 'person'; "
            f"there are {', '.join(supplied) or 'none'}"
        )


def require_sign_in(environment: "Environment") -> None:
    """Whoever asks a protected environment signs in, which needs a database, and a key for the gate of a release.

    Raises `ValueError`.
    """
    required = environment.agents.callers_sign_in
    if environment.environment.protected and not required:
        raise ValueError("environment.protected = true: agents.sign_in.required must be true")
    if required and environment.data is not None and "agents" not in environment.data.postgres:
        raise ValueError(
            "agents.sign_in.required = true needs data.postgres.agents, where keys and conversations lie; "
            f"data.postgres has {', '.join(sorted(environment.data.postgres)) or 'none'}"
        )
    key = None if environment.data is None else environment.data.secrets.get(GATE_KEY)
    if required and environment.data is not None and (key is None or key.origin != "generated"):
        found = "there is none" if key is None else f"its origin is {key.origin!r}"
        raise ValueError(
            f"agents.sign_in.required = true needs data.secrets.{GATE_KEY} with origin = 'generated', with which a "
            f"release asks a new version; {found}"
        )


def require_gateway_keys(environment: "Environment") -> None:
    """Budgets of the gateway's clients need a key of each, and the gateway's database. Raises `ValueError`."""
    if environment.models.budgets is None:
        return
    if environment.data is None or "litellm" not in environment.data.postgres:
        raise ValueError("models.budgets needs data.postgres.litellm, where the gateway counts; 'local' has none")
    for client in GatewayClient:
        key = environment.data.secrets.get(client.secret)
        if key is None or key.origin != "generated":
            found = "there is none" if key is None else f"its origin is {key.origin!r}"
            raise ValueError(f"models.budgets needs data.secrets.{client.secret} with origin = 'generated'; {found}")

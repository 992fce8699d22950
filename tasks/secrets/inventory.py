"""The secrets that an environment file names: who needs each, what its value looks like, and how one supplies it."""

from dataclasses import dataclass
from secrets import token_hex, token_urlsafe
from typing import Literal

from pydantic import SecretStr

from tasks.environment import Environment
from tasks.environment.addons import ENCRYPTION_KEY, LANGFUSE_KEY, LANGFUSE_SECRETS, OWNER_PASSWORD
from tasks.environment.agents import GATE_KEY
from tasks.environment.data import Secret
from tasks.environment.edge import Oidc
from tasks.environment.gateway import GatewayClient
from tasks.resource_names import name_prefix

Stage = Literal["addons", "models", "knowledge", "evaluation", "agents"]

GRAFANA_TOKEN = "grafana-token"  # noqa: S105 - a name
NEEDED_BY: dict[str, Stage] = {
    GRAFANA_TOKEN: "addons",
    **dict.fromkeys(LANGFUSE_SECRETS, "addons"),
    "litellm-master-key": "models",
    **dict.fromkeys((client.secret for client in GatewayClient), "models"),
    "weights-token": "models",
    "tavily-api-key": "agents",
    GATE_KEY: "agents",
}
# LiteLLM and Langfuse refuse keys that start otherwise, and Langfuse passwords without a letter, a digit and a sign.
STARTS_WITH = {
    "litellm-master-key": "sk-",
    **dict.fromkeys((client.secret for client in GatewayClient), "sk-"),
    LANGFUSE_KEY: "sk-lf-",
    OWNER_PASSWORD: "p1-",
}
RANDOM_BYTES = 32


@dataclass(frozen=True)
class NamedSecret:
    """A secret of the environment file; `path` is its name in Secrets Manager."""

    name: str
    path: str
    region: str
    secret: Secret
    needed_by: Stage | None

    def generate(self) -> SecretStr:
        """A new value, in the form that its user wants."""
        # Langfuse's key is for AES-256, https://langfuse.com/self-hosting/configuration
        if self.name == ENCRYPTION_KEY:
            return SecretStr(token_hex(RANDOM_BYTES))
        return SecretStr(f"{STARTS_WITH.get(self.name, '')}{token_urlsafe(RANDOM_BYTES)}")

    @property
    def supply(self) -> str:
        """The command with which a person gives it a value, which the shell's history does not keep."""
        return (
            f'IFS= read -rs VALUE && printf %s "$VALUE" | aws secretsmanager put-secret-value --region {self.region} '
            f"--secret-id {self.path} --secret-string file:///dev/stdin; unset VALUE"
        )


def named_secrets(settings: Environment) -> list[NamedSecret]:
    """The secrets of an environment on AWS, by name; a laptop has none there."""
    if settings.data is None:
        return []
    sign_in = settings.edge.sign_in if settings.edge is not None else None
    needed_by = dict(NEEDED_BY)
    if isinstance(sign_in, Oidc):
        needed_by[sign_in.client_secret] = "agents"
    if (freshness := settings.agents.freshness) is not None and freshness.prefect_credentials is not None:
        needed_by[freshness.prefect_credentials.secret] = "agents"
    if (credentials := settings.environment.prefect.credentials) is not None:
        # Also where the service signs in with the same one: add-ons come first.
        needed_by[credentials.secret] = "addons"
    region, prefix = settings.environment.region or "", name_prefix(settings.name)
    return [
        NamedSecret(name, f"{prefix}/{name}", region, secret, needed_by.get(name))
        for name, secret in sorted(settings.data.secrets.items())
    ]

"""Which optional add-ons a cluster has, and how patient their rollout is."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.environment.edge import Https
from tasks.environment.section import Section

# The name of the secret with which traces are written, in `data.secrets`.
LANGFUSE_KEY = "langfuse-secret-key"
CLICKHOUSE_PASSWORD, VALKEY_PASSWORD = "langfuse-clickhouse-password", "langfuse-valkey-password"
ENCRYPTION_KEY, SALT, SESSION_SECRET = "langfuse-encryption-key", "langfuse-salt", "langfuse-session-secret"
OWNER_PASSWORD = "langfuse-owner-password"  # noqa: S105
LANGFUSE_SECRETS = (
    CLICKHOUSE_PASSWORD,
    ENCRYPTION_KEY,
    OWNER_PASSWORD,
    SALT,
    LANGFUSE_KEY,
    SESSION_SECRET,
    VALKEY_PASSWORD,
)
"""What a Langfuse in the cluster needs. It takes each once: one that was renewed would lock it out of what it keeps."""

PublicKey = Annotated[str, Field(pattern=r"^pk-lf-\S+$", description='a public key of Langfuse, such as "pk-lf-1234"')]


class ClickHouse(Section):
    """Where Langfuse keeps its traces: `replicas` in as many zones, each with a volume of its own."""

    replicas: Literal[1, 3]
    volume_gib: Annotated[int, Field(ge=10, le=16384)]


class SelfHostedLangfuse(Section):
    """Langfuse in the cluster, on the environment's own Postgres and Valkey."""

    mode: Literal["self_hosted"]
    clickhouse: ClickHouse


class CloudLangfuse(Section):
    """Langfuse Cloud, or any other Langfuse elsewhere: its address, and the public key of the project there."""

    mode: Literal["cloud"]
    host: Https
    public_key: PublicKey


class Addons(Section):
    """The optional add-ons. `deadline_factor` stretches the deadline of every release of the environment."""

    keda: bool = False
    external_dns: bool = False
    langfuse: Annotated[SelfHostedLangfuse | CloudLangfuse, Field(discriminator="mode")] | None = None
    deadline_factor: Annotated[float, Field(ge=1, le=10)] = 1.0

    @property
    def langfuse_in_cluster(self) -> bool:
        """Whether Langfuse and what it stands on are releases of this cluster."""
        return isinstance(self.langfuse, SelfHostedLangfuse)

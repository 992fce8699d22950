"""The service's settings of sign-in, state and limits."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agents.caller import Scope
from agents.section import Section
from agents.state.settings import PostgresSettings, SqliteSettings, Tls


class SqliteState(Section):
    """A SQLite file; `path` is absolute."""

    engine: Literal["sqlite"]
    path: str

    def opened_with(self) -> SqliteSettings:
        """What `StateDatabase` takes."""
        return SqliteSettings(Path(self.path))


class PostgresState(Section):
    """A PostgreSQL database; see `agents.state.settings`."""

    engine: Literal["postgres"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    database: str
    user: str
    password_file: str | None = None
    tls: Tls = "require"

    def opened_with(self) -> PostgresSettings:
        """What `StateDatabase` takes."""
        password = None if self.password_file is None else Path(self.password_file)
        return PostgresSettings(self.host, self.port, self.database, self.user, password, self.tls)


class LoadBalancer(Section):
    """The load balancer that signs people in, and what those may do.

    `signer` is the beginning of its ARN: whole, or up to the slash behind its name, because AWS ends ARNs with digits
    that nobody knows beforehand. `client` is the id that it has at the identity provider, and `issuer` who that is, in
    the provider's own spelling; None where the client says it all. Its public keys are below `keys_url`.
    """

    signer: Annotated[str, Field(pattern=r"^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:\d{12}:loadbalancer/app/.+/")]
    client: Annotated[str, Field(min_length=1)]
    issuer: Annotated[str, Field(min_length=1)] | None = None
    keys_url: Annotated[str, Field(pattern=r"^https?://.+[^/]$")]
    scopes: tuple[Scope, ...] = ("ask", "search", "feedback")


class SignIn(Section):
    """Whether callers have to say who they are: by API key, or signed in by the load balancer where there is one.

    The file `operator_key_file` holds one more key, with which whoever operates the service may ask and search.
    """

    required: bool = False
    load_balancer: LoadBalancer | None = None
    operator_key_file: str | None = None


class ElastiCache(Section):
    """The cache that the service signs in to with its own AWS identity, in `region`."""

    name: str
    region: str


class Valkey(Section):
    """What replicas share their rate limits in; without `elasticache` it is reached without a password."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 6379
    tls: bool = True
    user: str | None = None
    elasticache: ElastiCache | None = None


class Allowance(Section):
    """How much one caller may use; null is without limit.

    `burst` requests may come at once, and `requests_per_minute` in the long run.
    """

    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    burst: Annotated[int, Field(ge=1)] = 10
    tokens_per_day: Annotated[int, Field(ge=1)] | None = None


class Load(Section):
    """How many answers are worked on at once, how many more wait, and for how many seconds at most."""

    answers: Annotated[int, Field(ge=1)] = 64
    waiting: Annotated[int, Field(ge=0)] = 256
    wait_seconds: Annotated[float, Field(gt=0)] = 10
    connections: Annotated[int, Field(ge=16)] = 1000


class Conversations(Section):
    """How long conversations are kept after their last question."""

    kept_days: Annotated[int, Field(ge=1)] = 30


class Access(Section):
    """Who may use the service, and how much of it. Without `state` there are no keys, budgets and conversations."""

    sign_in: SignIn = SignIn()
    state: Annotated[SqliteState | PostgresState, Field(discriminator="engine")] | None = None
    valkey: Valkey | None = None
    allowance: Allowance = Allowance()
    load: Load = Load()
    conversations: Conversations = Conversations()

    @model_validator(mode="after")
    def _state_where_it_is_needed(self) -> Self:
        if self.state is None and (self.sign_in.required or self.allowance.tokens_per_day is not None):
            raise ValueError("access.state is missing: access.sign_in and access.allowance.tokens_per_day need it")
        return self

"""Which environment this is, which account it may touch, and where its Prefect server answers."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tasks.environment.section import Section


class EnvironmentName(StrEnum):
    """The environments that the repository describes; flows take one as their parameter."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


class Budget(Section):
    """What the environment may cost, in US dollars a month; 0 on a laptop."""

    monthly_usd: Annotated[float, Field(ge=0)]


class WorkPools(Section):
    """Which work pool runs the stages that manage the cluster, and which the ones inside it."""

    management: str
    cluster: str


class Prefect(Section):
    """The Prefect server that runs this environment's flows; it lives outside the environment."""

    api_url: Annotated[str, Field(pattern=r"^https?://")]
    work_pools: WorkPools


class Identity(Section):
    """The environment itself."""

    name: EnvironmentName
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] | None = None
    protected: bool
    budget: Budget
    prefect: Prefect


class Ports(Section):
    """The TCP ports of the local components."""

    prefect: Annotated[int, Field(ge=1024, le=65535)]
    gateway: Annotated[int, Field(ge=1024, le=65535)]
    embedding: Annotated[int, Field(ge=1024, le=65535)]
    chat: Annotated[int, Field(ge=1024, le=65535)]
    agents: Annotated[int, Field(ge=1024, le=65535)]


class Laptop(Section):
    """Where the local environment keeps its data and listens; only `local.tfvars` has this section.

    `when_port_taken` says what happens when another process already listens on a port: `pick_free`
    takes the next free port and reports it, `refuse` stops and names that process.
    """

    data_directory: str
    listen_host: str
    ports: Ports
    when_port_taken: Literal["pick_free", "refuse"]

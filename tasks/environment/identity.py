"""Which environment this is, which account it may touch, and where its Prefect server answers."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.environment.section import NAME, Name, Section, Text

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$", description='12 digits in quotes, such as "111122223333"')]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", description='an AWS region, such as "us-east-1"')]
Port = Annotated[int, Field(ge=1024, le=65535)]


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

    management: Name
    cluster: Name


class PrefectCredentials(Section):
    """As whom something in the cluster asks Prefect; the value is `secret`, a name of `data.secrets`.

    Prefect Cloud takes an API key, a server of one's own the auth string that it was started with.
    """

    kind: Literal["api_key", "auth_string"]
    secret: Name

    @property
    def variable(self) -> str:
        """The environment variable in which a program gets it, named as Prefect names it."""
        return {"api_key": "PREFECT_API_KEY", "auth_string": "PREFECT_API_AUTH_STRING"}[self.kind]


class Prefect(Section):
    """The Prefect server that runs this environment's flows; it lives outside the environment.

    `credentials` are those of the worker in the cluster and of the flows that it runs, where the server wants some.
    `notifications` names a `Webhook` block of that server, which is called when a run fails or is late. `variables` are
    kept on that server for automations and flows of people's own, as `agentic-eks-<environment>-<name>`.
    """

    api_url: Annotated[str, Field(pattern=r"^https?://.+", description="a URL that starts with http:// or https://")]
    work_pools: WorkPools
    credentials: PrefectCredentials | None = None
    notifications: Text | None = None
    variables: dict[str, Text] = Field(default={})

    @field_validator("variables")
    @classmethod
    def _named(cls, variables: dict[str, Text]) -> dict[str, Text]:
        if wrong := sorted(name for name in variables if not re.fullmatch(NAME, name)):
            raise ValueError(f"{wrong!r} are not valid names of variables: use a-z, 0-9 and -, starting with a letter")
        return variables


class Identity(Section):
    """The environment itself."""

    name: EnvironmentName
    account_id: AccountId | None = None
    region: Region | None = None
    protected: bool
    budget: Budget
    prefect: Prefect

    @field_validator("region")
    @classmethod
    def _offers_eks(cls, region: str | None) -> str | None:
        if region is None:
            return None
        # Takes half a second, which only an environment on AWS has to spend.
        from botocore.session import Session

        aws = Session()
        known = [name for part in aws.get_available_partitions() for name in aws.get_available_regions("eks", part)]
        if region not in known:
            raise ValueError(f"{region!r} is not an AWS region with EKS; allowed are {', '.join(known)}")
        return region

    @model_validator(mode="after")
    def _failures_are_notified(self) -> Self:
        if self.protected and self.prefect.notifications is None:
            raise ValueError(
                "protected = true: prefect.notifications is missing, and of runs that fail somebody has to be told; "
                "name the Webhook block of the Prefect server that shall be called"
            )
        return self


class Ports(Section):
    """The TCP ports of the local components."""

    prefect: Port
    gateway: Port
    embedding: Port
    chat: Port
    agents: Port
    web_search: Port

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        given = self.model_dump()
        twice = sorted(name for name, port in given.items() if list(given.values()).count(port) > 1)
        if twice:
            raise ValueError(f"{' and '.join(twice)} share a port; every component needs one of its own")
        return self


class Laptop(Section):
    """Where the local environment keeps its data and listens; only `local.tfvars` has this section.

    `when_port_taken` says what happens when another process already listens on a port: `pick_free`
    takes the next free port and reports it, `refuse` stops and names that process.
    """

    data_directory: Text
    listen_host: Text
    ports: Ports
    when_port_taken: Literal["pick_free", "refuse"]

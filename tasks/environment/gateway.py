"""Who asks the model gateway of an environment on AWS, and how much each may spend there."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tasks.environment.section import Section


class GatewayClient(StrEnum):
    """Whoever has a key of its own: the agent service, and evaluations with all else that people and flows try out."""

    AGENTS = "agents"
    EVALUATION = "evaluation"

    @property
    def secret(self) -> str:
        """The name of its key in `data.secrets`."""
        return f"litellm-{self.value}-key"


class ClientBudget(Section):
    """US dollars, by the price of tokens, that are there again at the start of `every` day, week or month (UTC)."""

    usd: Annotated[float, Field(gt=0)]
    every: Literal["day", "week", "month"]


class ClientBudgets(Section):
    """The budget of each client of the gateway; without one nothing stops it."""

    agents: ClientBudget | None = None
    evaluation: ClientBudget | None = None

    def of(self, client: GatewayClient) -> ClientBudget | None:
        """The budget of this client."""
        return {GatewayClient.AGENTS: self.agents, GatewayClient.EVALUATION: self.evaluation}[client]

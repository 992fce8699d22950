"""The one typed model of an environment's variable file (`infra/environments/<name>.tfvars`).

Terraform reads the same file natively; `infra/variables.tf` declares the same fields, and a test
holds the two together.
"""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from tasks.environment.access import Access
from tasks.environment.addons import Addons
from tasks.environment.agents import Agents
from tasks.environment.capacity import Capacity
from tasks.environment.cluster import Cluster
from tasks.environment.data import Data
from tasks.environment.edge import Edge
from tasks.environment.identity import EnvironmentName, Identity, Laptop
from tasks.environment.knowledge import Knowledge
from tasks.environment.models import Models
from tasks.environment.network import Network
from tasks.environment.observability import Observability
from tasks.environment.operations import Operations
from tasks.environment.quality import Evaluation
from tasks.environment.rules import RULES
from tasks.environment.section import Section

REPOSITORY = Path(__file__).resolve().parents[2]


class Environment(Section):
    """Everything that is decided about one environment. Strict and frozen."""

    environment: Identity
    laptop: Laptop | None = None
    models: Models
    knowledge: Knowledge
    evaluation: Evaluation
    agents: Agents
    network: Network | None = None
    access: Access | None = None
    cluster: Cluster | None = None
    capacity: Capacity | None = None
    observability: Observability | None = None
    data: Data | None = None
    edge: Edge | None = None
    operations: Operations | None = None
    addons: Addons | None = None

    @property
    def name(self) -> EnvironmentName:
        """The name of the environment, such as `local`."""
        return self.environment.name

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        for rule in RULES:
            rule(self)
        return self


__all__ = ["REPOSITORY", "Environment", "EnvironmentName"]

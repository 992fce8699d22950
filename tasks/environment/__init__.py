"""The one typed model of an environment's variable file (`infra/environments/<name>.tfvars`).

Terraform reads the same file natively; `infra/variables.tf` declares the same fields, and a test
holds the two together.
"""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from tasks.environment.identity import EnvironmentName, Identity, Laptop
from tasks.environment.knowledge import Knowledge
from tasks.environment.models import Model, Models
from tasks.environment.quality import Agents, Evaluation
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

    @property
    def name(self) -> EnvironmentName:
        """The name of the environment, such as `local`."""
        return self.environment.name

    @model_validator(mode="after")
    def _laptop_and_cloud_differ(self) -> Self:
        local = self.name is EnvironmentName.LOCAL
        if local != (self.laptop is not None):
            raise ValueError(f"environment.name = {self.name.value!r}: only 'local' has a laptop section, and it must")
        if local != (self.environment.account_id is None):
            raise ValueError(f"environment.name = {self.name.value!r}: account_id is for every environment but 'local'")
        for name, model in self.models.catalogue.items():
            if local and model.runs_on not in ("process", "bedrock") or not local and model.runs_on == "process":
                raise ValueError(
                    f"models.catalogue.{name}.runs_on = {model.runs_on!r} is not possible in {self.name.value!r}; "
                    "'process' is for 'local', and 'gpu', 'neuron', 'kuberay' are for AWS"
                )
        return self


__all__ = ["REPOSITORY", "Environment", "EnvironmentName", "Model"]

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
            raise ValueError(
                f"environment.name = {self.name.value!r}: 'local' needs a laptop section, others have none"
            )
        for key in ("account_id", "region"):
            if local != (getattr(self.environment, key) is None):
                raise ValueError(
                    f"environment.name = {self.name.value!r}: 'local' has no environment.{key}, every other needs it"
                )
        possible = ("process", "bedrock") if local else ("gpu", "neuron", "kuberay", "bedrock")
        for name, model in self.models.catalogue.items():
            if model.runs_on not in possible:
                raise ValueError(
                    f"models.catalogue.{name}.runs_on = {model.runs_on!r} is not possible in {self.name.value!r}; "
                    f"allowed are {', '.join(possible)}"
                )
        return self

    @model_validator(mode="after")
    def _store_fits_the_place(self) -> Self:
        store = self.knowledge.store
        if store.engine == "lancedb" and self.laptop is None:
            raise ValueError(
                "knowledge.store.engine = 'lancedb' keeps its files on the laptop; use 'opensearch' on AWS"
            )
        if store.engine == "opensearch" and store.endpoint is None and self.laptop is not None:
            raise ValueError("knowledge.store.endpoint is missing; only on AWS does Terraform know it")
        return self

    @model_validator(mode="after")
    def _models_hold_what_they_are_given(self) -> Self:
        embedding = self.models.catalogue[self.models.embedding]
        if self.knowledge.chunks.tokens > embedding.context_tokens:
            raise ValueError(
                f"knowledge.chunks.tokens = {self.knowledge.chunks.tokens} is more than the embedding model "
                f"{self.models.embedding!r} reads: its context_tokens is {embedding.context_tokens}"
            )
        chat = self.models.catalogue[self.models.chat]
        if self.agents.answer_tokens >= chat.context_tokens:
            raise ValueError(
                f"agents.answer_tokens = {self.agents.answer_tokens} leaves no room for the question: the chat model "
                f"{self.models.chat!r} has context_tokens = {chat.context_tokens}"
            )
        return self


__all__ = ["REPOSITORY", "Environment", "EnvironmentName", "Model"]

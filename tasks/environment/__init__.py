"""The one typed model of an environment's variable file (`infra/environments/<name>.tfvars`).

Terraform reads the same file natively; `infra/variables.tf` declares the same fields, and a test
holds the two together.
"""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from tasks.environment.access import Access
from tasks.environment.addons import LANGFUSE_KEY, LANGFUSE_SECRETS, Addons
from tasks.environment.agents import GATE_KEY, Agents
from tasks.environment.capacity import Capacity
from tasks.environment.cluster import Cluster
from tasks.environment.data import Data
from tasks.environment.edge import Edge, Oidc
from tasks.environment.identity import EnvironmentName, Identity, Laptop
from tasks.environment.knowledge import Knowledge
from tasks.environment.models import Model, Models
from tasks.environment.network import Network, overlap
from tasks.environment.observability import Observability
from tasks.environment.operations import Operations
from tasks.environment.placement import require_places
from tasks.environment.quality import Evaluation
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
    def _cloud_sections_fit(self) -> Self:
        for section in (
            "network",
            "access",
            "cluster",
            "capacity",
            "observability",
            "data",
            "edge",
            "operations",
            "addons",
        ):
            if (self.name is EnvironmentName.LOCAL) != (getattr(self, section) is None):
                raise ValueError(
                    f"environment.name = {self.name.value!r}: 'local' has no section {section}, every other needs it"
                )
        return self

    @model_validator(mode="after")
    def _web_search_has_its_key(self) -> Self:
        search = self.agents.web_search
        if search is None:
            return self
        if (search.key_variable is None) == (search.key_secret is None) or (search.key_secret is None) == (
            self.data is not None
        ):
            raise ValueError(
                "agents.web_search needs key_variable in 'local', and key_secret in every other environment; it has "
                f"key_variable = {search.key_variable!r} and key_secret = {search.key_secret!r}"
            )
        if self.data is not None and search.key_secret not in self.data.secrets:
            raise ValueError(
                f"agents.web_search.key_secret = {search.key_secret!r} must be a name of data.secrets; "
                f"there are {', '.join(sorted(self.data.secrets)) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _prefect_knows_who_asks(self) -> Self:
        credentials = self.agents.freshness and self.agents.freshness.prefect_credentials
        if not credentials:
            return self
        if self.data is None:
            raise ValueError(
                "agents.freshness.prefect_credentials is for environments on AWS: 'local' asks its own Prefect server, "
                "where nobody signs in"
            )
        supplied = sorted(name for name, secret in self.data.secrets.items() if secret.origin == "person")
        if credentials.secret not in supplied:
            raise ValueError(
                f"agents.freshness.prefect_credentials.secret = {credentials.secret!r} must be a name of data.secrets "
                f"whose origin is 'person'; there are {', '.join(supplied) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _traces_have_one_place(self) -> Self:
        if self.agents.tracing is not None and self.name is not EnvironmentName.LOCAL:
            raise ValueError("agents.tracing is for 'local'; where the traces of every other go, addons.langfuse says")
        return self

    @model_validator(mode="after")
    def _network_and_cluster_fit(self) -> Self:
        if self.network is None or self.cluster is None:
            return self
        for zone in self.network.zones:
            if zone[:-1] != self.environment.region:
                raise ValueError(
                    f"network.zones.{zone} is no zone of environment.region = {self.environment.region!r}, "
                    f"such as {self.environment.region}a"
                )
        if overlap(self.cluster.service_cidr, self.network.cidr):
            raise ValueError(
                f"cluster.service_cidr = {self.cluster.service_cidr!r} overlaps network.cidr = {self.network.cidr!r}"
            )
        relied_on = self.environment.protected or self.name is EnvironmentName.PROD
        if relied_on and any(cidr.endswith("/0") for cidr in self.cluster.public_access_cidrs):
            raise ValueError(
                "cluster.public_access_cidrs opens the API of a protected environment to everybody: name the ranges "
                "that may reach it"
            )
        return self

    @model_validator(mode="after")
    def _edge_fits_the_rest(self) -> Self:
        if self.edge is None or self.data is None:
            return self
        if self.edge.firewall.largest_request_bytes < self.agents.question_bytes:
            raise ValueError(
                f"edge.firewall.largest_request_bytes = {self.edge.firewall.largest_request_bytes} must be "
                f"agents.question_bytes = {self.agents.question_bytes} or more: a question comes with its conversation"
            )
        supplied = sorted(name for name, secret in self.data.secrets.items() if secret.origin == "person")
        if isinstance(self.edge.sign_in, Oidc) and self.edge.sign_in.client_secret not in supplied:
            raise ValueError(
                f"edge.sign_in.client_secret = {self.edge.sign_in.client_secret!r} must be a name of data.secrets "
                f"whose origin is 'person'; there are {', '.join(supplied) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _addons_have_what_they_stand_on(self) -> Self:
        if self.addons is None or self.data is None or self.edge is None:
            return self
        if self.addons.external_dns and self.edge.domain is None:
            raise ValueError("addons.external_dns = true needs edge.domain, whose records it writes")
        if self.addons.langfuse is None:
            return self
        in_cluster, mode = self.addons.langfuse_in_cluster, self.addons.langfuse.mode
        origin = "generated" if in_cluster else "person"
        for name in LANGFUSE_SECRETS if in_cluster else (LANGFUSE_KEY,):
            secret = self.data.secrets.get(name)
            if secret is None or secret.origin != origin:
                found = "there is none" if secret is None else f"its origin is {secret.origin!r}"
                raise ValueError(
                    f"addons.langfuse.mode = {mode!r} needs data.secrets.{name} with origin = {origin!r}; {found}"
                )
            if secret.rotation_days is not None:
                raise ValueError(
                    f"data.secrets.{name}.rotation_days = {secret.rotation_days}: Langfuse takes this secret once, and "
                    "a new one would lock it out of what it keeps; leave rotation_days out"
                )
        for section, clients in (("postgres", self.data.postgres), ("valkey", self.data.valkey)):
            if in_cluster and "langfuse" not in clients:
                raise ValueError(
                    f"addons.langfuse.mode = {mode!r} needs data.{section}.langfuse; data.{section} has "
                    f"{', '.join(sorted(clients)) or 'none'}"
                )
        return self

    @model_validator(mode="after")
    def _callers_sign_in_where_it_counts(self) -> Self:
        required = self.agents.callers_sign_in
        if self.environment.protected and not required:
            raise ValueError("environment.protected = true: agents.sign_in.required must be true")
        if required and self.data is not None and "agents" not in self.data.postgres:
            raise ValueError(
                "agents.sign_in.required = true needs data.postgres.agents, where keys and conversations lie; "
                f"data.postgres has {', '.join(sorted(self.data.postgres)) or 'none'}"
            )
        key = None if self.data is None else self.data.secrets.get(GATE_KEY)
        if required and self.data is not None and (key is None or key.origin != "generated"):
            found = "there is none" if key is None else f"its origin is {key.origin!r}"
            raise ValueError(
                f"agents.sign_in.required = true needs data.secrets.{GATE_KEY} with origin = 'generated', with which a "
                f"release asks a new version; {found}"
            )
        return self

    @model_validator(mode="after")
    def _protected_data_is_backed_up(self) -> Self:
        if self.environment.protected and self.data is not None and self.data.backup is None:
            raise ValueError("environment.protected = true: data.backup is missing, and people rely on the data")
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
        if self.knowledge.events is not None and self.laptop is not None:
            raise ValueError("knowledge.events is for environments on AWS: nothing tells a laptop of changes in S3")
        if store.engine == "opensearch" and store.snapshot_directory is not None and self.laptop is None:
            raise ValueError(
                "knowledge.store.snapshot_directory is for 'local'; on AWS data.backup has a bucket for snapshots"
            )
        return self

    @model_validator(mode="after")
    def _judged_metrics_have_a_judge(self) -> Self:
        if self.models.judge is None and (judged := self.evaluation.judged_metrics):
            raise ValueError(
                f"evaluation.metrics has {', '.join(judged)}, which a model judges: name it in models.judge, or leave "
                "them out"
            )
        return self

    @model_validator(mode="after")
    def _traces_are_somewhere(self) -> Self:
        to_langfuse = self.agents.tracing is not None or (self.addons is not None and self.addons.langfuse is not None)
        if self.evaluation.traces is not None and not to_langfuse:
            raise ValueError(
                "evaluation.traces measures what is in Langfuse, where no traces go: set addons.langfuse (on a laptop "
                "agents.tracing), or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _models_have_a_place(self) -> Self:
        if self.capacity is not None:
            require_places(self.models, self.capacity)
        return self

    @model_validator(mode="after")
    def _models_hold_what_they_are_given(self) -> Self:
        embedding = self.models.catalogue[self.models.embedding]
        if self.knowledge.chunks.tokens > embedding.context_tokens:
            raise ValueError(
                f"knowledge.chunks.tokens = {self.knowledge.chunks.tokens} is more than the embedding model "
                f"{self.models.embedding!r} reads: its context_tokens is {embedding.context_tokens}"
            )
        writer = self.models.catalogue[self.models.reasoning]
        if self.agents.answer_tokens >= writer.context_tokens:
            raise ValueError(
                f"agents.answer_tokens = {self.agents.answer_tokens} leaves no room for the question: the reasoning "
                f"model {self.models.reasoning!r} has context_tokens = {writer.context_tokens}"
            )
        return self


__all__ = ["REPOSITORY", "Environment", "EnvironmentName", "Model"]

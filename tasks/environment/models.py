"""The models of an environment: which there are, where each runs, and which role each plays."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.environment.gateway import ClientBudgets
from tasks.environment.section import Name, Section, Text

RunsOn = Literal["process", "gpu", "neuron", "kuberay", "bedrock"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="a SHA-256: 64 digits of 0-9 and a-f")]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$", description="a commit: 40 digits of 0-9 and a-f")]
Repository = Annotated[
    str, Field(pattern=r"^[\w.-]+/[\w.-]+$", description='<owner>/<name>, such as "Qwen/Qwen2.5-7B-Instruct"')
]

SERVED_IN_CLUSTER: tuple[RunsOn, ...] = ("gpu", "neuron", "kuberay")
# Room for what charts and controllers add to it: a host name has 63 characters at most.
SERVER_NAME = r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"
ROLES = ("chat", "reasoning", "embedding", "former_embedding", "judge")


class PackagedWeights(Section):
    """Weights that come inside an installed Python package; `sha256` is of the GGUF file served.

    `build` is `copy` when the package holds that GGUF file, and `convert_bert` when it is made from
    the package's safetensors.
    """

    package: Text
    build: Literal["copy", "convert_bert"]
    sha256: Sha256
    source_sha256: Sha256


class RepositoryWeights(Section):
    """Weights mirrored from a public model repository at a pinned revision.

    `licence` is what the repository has to say of itself, in its own spelling. `manifest_sha256` is the SHA-256 of the
    list of all mirrored files with their hashes, which the flow `models` prints; left out, the first mirror decides it.
    """

    repository: Repository
    revision: Revision
    licence: Text
    manifest_sha256: Sha256 | None = None


class Neuron(Section):
    """What a model is compiled for: the NeuronCores of one replica, and how many requests it works on at once."""

    cores: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]


class Serving(Section):
    """What one replica takes, and where it runs.

    `accelerators` are GPUs or Neuron devices; a model on GPU is split over all of them. With `most_replicas` it is
    scaled from `replicas` up to it, by the requests that wait. `start_seconds` is how long loading may take. Without
    `pool`, Karpenter chooses among the pools of the right kind.
    """

    cpus: Annotated[int, Field(ge=1)]
    memory_gib: Annotated[int, Field(ge=1)]
    accelerators: Annotated[int, Field(ge=1)] | None = None
    pool: Name | None = None
    dtype: Literal["bfloat16", "float16"] = "bfloat16"
    most_replicas: Annotated[int, Field(ge=1)] | None = None
    start_seconds: Annotated[int, Field(ge=60, le=7200)] = 1800
    neuron: Neuron | None = None


class Model(Section):
    """One model behind the gateway.

    `context_tokens` is the longest prompt plus answer, in the model's own tokens; `dimension` is
    the length of its vectors and is given for embedding models only.
    """

    runs_on: RunsOn
    context_tokens: Annotated[int, Field(ge=128)]
    replicas: Annotated[int, Field(ge=0)] = 1
    threads: Annotated[int, Field(ge=1)] = 1
    dimension: Annotated[int, Field(ge=1)] | None = None
    packaged: PackagedWeights | None = None
    weights: RepositoryWeights | None = None
    serving: Serving | None = None
    bedrock_id: Text | None = None
    fallbacks: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        needed = {"process": "packaged", "bedrock": "bedrock_id"}.get(self.runs_on, "weights")
        given = [key for key in ("packaged", "weights", "bedrock_id") if getattr(self, key) is not None]
        if given != [needed]:
            found = " and ".join(given) or "none"
            raise ValueError(f"runs_on = {self.runs_on!r} needs {needed} and no other origin, but it has {found}")
        return self

    @model_validator(mode="after")
    def _serving_fits(self) -> Self:
        if (self.serving is not None) != (self.runs_on in SERVED_IN_CLUSTER):
            rule = "needs serving" if self.serving is None else "has no serving"
            raise ValueError(f"runs_on = {self.runs_on!r} {rule}; {', '.join(SERVED_IN_CLUSTER)} need it")
        if self.serving is None:
            return self
        for key, needed in (("accelerators", self.runs_on != "kuberay"), ("neuron", self.runs_on == "neuron")):
            if needed != (getattr(self.serving, key) is not None):
                raise ValueError(f"runs_on = {self.runs_on!r} {'needs' if needed else 'has no'} serving.{key}")
        most = self.serving.most_replicas
        if most is not None and most < self.replicas:
            raise ValueError(f"serving.most_replicas = {most} is below replicas = {self.replicas}")
        return self


class Models(Section):
    """All models by name, and the name that plays each role.

    `reasoning` writes the assistant's answers. `chat` is offered at the gateway to other programs, and stands in for
    `reasoning` where that model's fallbacks name it; the assistant does not ask it by itself. `embedding` makes the
    vectors of documents and questions. `former_embedding` is what `embedding` was before: questions are embedded by it
    for as long as a generation serves whose vectors it made. `judge` scores answers, and is absent where none is paid
    for. `budgets` are of the gateway's clients, on AWS.
    """

    catalogue: dict[str, Model]
    chat: Text
    reasoning: Text
    embedding: Text
    former_embedding: Text | None = None
    judge: Text | None = None
    budgets: ClientBudgets | None = None

    @property
    def embeddings(self) -> tuple[str, ...]:
        """The models that embed questions, the present one first."""
        return tuple(name for name in (self.embedding, self.former_embedding) if name is not None)

    @model_validator(mode="after")
    def _names_are_host_names(self) -> Self:
        for name, model in self.catalogue.items():
            if model.runs_on in SERVED_IN_CLUSTER and not re.fullmatch(SERVER_NAME, name):
                raise ValueError(
                    f"catalogue has {name!r}, whose server is called the same: allowed are up to 40 of a-z, 0-9 and -, "
                    "starting with a letter"
                )
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for role in ROLES:
            name = getattr(self, role)
            if name is not None and name not in self.catalogue:
                raise ValueError(
                    f"{role} = {name!r} is not in the catalogue; it has {', '.join(sorted(self.catalogue))}"
                )
        for name, model in self.catalogue.items():
            others = sorted(other for other in self.catalogue if other != name)
            for fallback in model.fallbacks:
                if fallback not in others:
                    allowed = ", ".join(others) or "none, as there is no other model"
                    raise ValueError(f"catalogue.{name}.fallbacks has {fallback!r}; allowed are {allowed}")
        return self

    @model_validator(mode="after")
    def _kinds_fit(self) -> Self:
        if self.embedding == self.former_embedding:
            raise ValueError(f"former_embedding = {self.embedding!r} is the embedding model itself; leave it out")
        for name in self.embeddings:
            if self.catalogue[name].dimension is None:
                raise ValueError(f"embedding = {name!r} needs catalogue.{name}.dimension")
            if self.catalogue[name].fallbacks:
                raise ValueError(
                    f"catalogue.{name}.fallbacks must be empty: vectors of another model cannot be compared"
                )
        for role in ("chat", "reasoning", "judge"):
            name = getattr(self, role)
            if name is not None and self.catalogue[name].dimension is not None:
                raise ValueError(
                    f"{role} = {name!r} is an embedding model, as it has a dimension; it cannot write text"
                )
        return self

    @model_validator(mode="after")
    def _processes_have_a_role(self) -> Self:
        roles = {getattr(self, role) for role in ROLES}
        for name, model in self.catalogue.items():
            if model.runs_on == "process" and name not in roles:
                raise ValueError(
                    f"catalogue.{name} runs on this machine and plays no role; leave it out, or name it in one of "
                    f"{', '.join(ROLES)}"
                )
        return self

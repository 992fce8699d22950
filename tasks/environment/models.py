"""The models of an environment: which there are, where each runs, and which role each plays."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.environment.section import Section

RunsOn = Literal["process", "gpu", "neuron", "kuberay", "bedrock"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PackagedWeights(Section):
    """Weights that come inside an installed Python package; `sha256` is of the GGUF file served.

    `build` is `copy` when the package holds that GGUF file, and `convert_bert` when it is made from
    the package's safetensors.
    """

    package: str
    build: Literal["copy", "convert_bert"]
    sha256: Sha256
    source_sha256: Sha256


class RepositoryWeights(Section):
    """Weights mirrored from a public model repository at a pinned revision."""

    repository: str
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


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
    bedrock_id: str | None = None
    fallbacks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        needed = {"process": "packaged", "bedrock": "bedrock_id"}.get(self.runs_on, "weights")
        given = [key for key in ("packaged", "weights", "bedrock_id") if getattr(self, key) is not None]
        if given != [needed]:
            raise ValueError(f"runs_on = {self.runs_on!r} needs exactly {needed!r}, but {given!r} are given")
        return self


class Models(Section):
    """All models by name, and the name that plays each role. `judge` is absent where none is paid for."""

    catalogue: dict[str, Model]
    chat: str
    reasoning: str
    embedding: str
    judge: str | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        known = sorted(self.catalogue)
        for role in ("chat", "reasoning", "embedding", "judge"):
            name = getattr(self, role)
            if name is not None and name not in self.catalogue:
                raise ValueError(f"{role} = {name!r} is not in the catalogue; it has {known!r}")
        for name, model in self.catalogue.items():
            for fallback in model.fallbacks:
                if fallback not in self.catalogue or fallback == name:
                    raise ValueError(
                        f"catalogue.{name}.fallbacks has {fallback!r}; allowed are the others of {known!r}"
                    )
        if self.catalogue[self.embedding].dimension is None:
            raise ValueError(f"embedding = {self.embedding!r} needs catalogue.{self.embedding}.dimension")
        return self

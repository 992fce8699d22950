"""The service's settings: one JSON file, derived from the environment's variable file, named by AGENTS_SETTINGS."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from agents.access.settings import Access
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.refresh_settings import Freshness, prefect_authorization
from agents.section import Section
from agents.settings_file import SETTINGS_VARIABLE, EnvironmentVariable, read_settings_file, required_key

RELEASE_VARIABLE = "AGENTS_RELEASE"
"""What runs here, such as the digest of the image; optional, only traces name it."""
STORE_SECONDS = 10.0
"""For so long a question waits for the store."""
Share = Annotated[float, Field(ge=0, le=1)]


class Gateway(Section):
    """The OpenAI-compatible gateway. The key is in the environment variable that `api_key_variable` names."""

    base_url: Annotated[str, Field(pattern=r"^https?://.+")]
    api_key_variable: EnvironmentVariable


class ChatModel(Section):
    """A chat model under its name at the gateway; `context_tokens` bounds prompt and answer together."""

    name: str
    context_tokens: Annotated[int, Field(ge=512)]


class EmbeddingModel(Section):
    """An embedding model under its name at the gateway; `fingerprint` is the SHA-256 of its file."""

    name: str
    fingerprint: str
    dimension: Annotated[int, Field(ge=1)]
    context_tokens: Annotated[int, Field(ge=128)]

    @property
    def identity(self) -> EmbeddingIdentity:
        """What a generation must have been embedded by."""
        return EmbeddingIdentity(model=self.name, fingerprint=self.fingerprint, dimension=self.dimension)


class Models(Section):
    """The models by role: `reasoning` writes answers, `judge` scores them where one is paid for.

    `embedding` made the vectors of the next generations, and `former_embedding` those of earlier ones that may serve.
    """

    reasoning: ChatModel
    embedding: EmbeddingModel
    former_embedding: EmbeddingModel | None = None
    judge: ChatModel | None = None

    @property
    def embeddings(self) -> Mapping[EmbeddingIdentity, EmbeddingModel]:
        """The models that can embed a question, by what they are; the present one is the first."""
        models = (self.embedding, self.former_embedding)
        return {model.identity: model for model in models if model is not None}


class LanceStore(Section):
    """The embedded store; `directory` is absolute."""

    engine: Literal["lancedb"]
    directory: str

    def opened_with(self) -> LanceSettings:
        """What `open_store` takes."""
        return LanceSettings(Path(self.directory))


class OpenSearchStore(Section):
    """An OpenSearch server, or the domain of an AWS `region`, to which requests are signed."""

    engine: Literal["opensearch"]
    endpoint: str
    index_prefix: str
    shards: Annotated[int, Field(ge=1)]
    replicas: Annotated[int, Field(ge=0)]
    region: str | None = None

    def opened_with(self) -> OpenSearchSettings:
        """What `open_store` takes."""
        indices = (self.endpoint, self.index_prefix, self.shards, self.replicas)
        return OpenSearchSettings(*indices, region=self.region, seconds=STORE_SECONDS)


class Fusion(Section):
    """How the legs of a search become one ranking; see `agents.knowledge.fusion`."""

    method: Literal["rrf", "min_max"]
    dense_weight: Share
    candidates: Annotated[int, Field(ge=1, le=1000)]

    def fused_with(self) -> FusionSettings:
        """What `hybrid_search` takes."""
        return FusionSettings(self.method, self.dense_weight, self.candidates)


class Limits(Section):
    """Thresholds (0..1) and limits of one question.

    `answer_seconds` is for the whole answer; `question_bytes` counts UTF-8; `passages` is how many are retrieved.
    """

    relevancy_threshold: Share
    groundedness_threshold: Share
    passages: Annotated[int, Field(ge=1, le=50)]
    answer_tokens: Annotated[int, Field(ge=16)]
    answer_seconds: Annotated[float, Field(gt=0)]
    question_bytes: Annotated[int, Field(ge=256)]


class WebSearchServer(Section):
    """The web search server, an MCP server over streamable HTTP; `seconds` is for one search."""

    url: Annotated[str, Field(pattern=r"^https?://.+")]
    seconds: Annotated[float, Field(gt=0)] = 15


class McpRoute(Section):
    """`allowed_hosts` are the values of the header Host under which /mcp answers (`name:*` for any port).

    Where nobody signs in, the other routes answer under them and the loopback names only, over the loopback address.
    A browser sends the name that a page of somebody else was loaded under, whatever address that name has by now.
    """

    allowed_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1:*", "localhost:*", "[::1]:*"])


class Routing(Section):
    """Where an answer comes from; the least relevancy that is answered at all is `Limits.relevancy_threshold`.

    From `certain_from` on (0..1) the knowledge base alone answers, below it the web is asked for `web_results` too.
    """

    certain_from: Share = 0.65
    web_results: Annotated[int, Field(ge=1, le=10)] = 4


class Prompt(Section):
    """What the model that writes is given of what was found; the default is for a small model.

    The best `passages` of the knowledge base and as many of the web share `tokens` (estimated), and never more than the
    model's context leaves. A longer context makes a small model slower and less exact.
    """

    passages: Annotated[int, Field(ge=1, le=50)] = 2
    tokens: Annotated[int, Field(ge=200)] = 800


class Budgets(Section):
    """What one question may cost besides time: estimated tokens, tool calls, and drafts that are thrown away."""

    tokens: Annotated[int, Field(ge=512)] = 20000
    tool_calls: Annotated[int, Field(ge=0)] = 2
    corrections: Annotated[int, Field(ge=0, le=5)] = 1


class Langfuse(Section):
    """Where traces and scores go, and as which project; its secret key is in the variable that is named."""

    host: Annotated[str, Field(pattern=r"^https?://.+")]
    public_key: Annotated[str, Field(pattern=r"^pk-lf-\S+$")]
    secret_key_variable: EnvironmentVariable


class Settings(Section):
    """Everything the service is told. Without `web_search` the web is never asked, without `langfuse` nothing traced.

    `probe_seconds` is the pause between two probes of its dependencies.
    """

    environment: str
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    gateway: Gateway
    models: Models
    store: Annotated[LanceStore | OpenSearchStore, Field(discriminator="engine")]
    fusion: Fusion
    limits: Limits
    prompt: Prompt = Prompt()
    routing: Routing = Routing()
    budgets: Budgets = Budgets()
    freshness: Freshness | None = None
    probe_seconds: Annotated[float, Field(gt=0)] = 5
    web_search: WebSearchServer | None = None
    mcp: McpRoute = Field(default_factory=McpRoute)
    access: Access = Access()
    langfuse: Langfuse | None = None


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file that AGENTS_SETTINGS names.

    Raises:
        InvalidSettings: the variable is not set, the file cannot be read, a key or value in it is wrong, or the
            variable that holds a key is empty.
    """
    settings = read_settings_file(Settings, SETTINGS_VARIABLE, environ)
    gateway_key(settings.gateway, environ)
    if settings.langfuse is not None:
        langfuse_key(settings.langfuse, environ)
    if settings.freshness is not None and settings.freshness.refresh is not None:
        prefect_authorization(settings.freshness.refresh, environ)
    return settings


def gateway_key(gateway: Gateway, environ: Mapping[str, str] = os.environ) -> str:
    """The gateway's API key.

    Raises:
        InvalidSettings: the variable is not set or empty.
    """
    return required_key(gateway.api_key_variable, gateway.base_url, environ)


def langfuse_key(langfuse: Langfuse, environ: Mapping[str, str] = os.environ) -> str:
    """The secret key of Langfuse's project.

    Raises:
        InvalidSettings: the variable is not set or empty.
    """
    return required_key(langfuse.secret_key_variable, langfuse.host, environ)

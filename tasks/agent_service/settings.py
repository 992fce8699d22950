"""The agent service's settings file, derived from the environment file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents import settings as service
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.store.settings import LanceSettings
from agents.refresh_settings import Freshness, PrefectCredentials, Refresh
from tasks.agent_service.access import access_settings
from tasks.embedding.identity import embedding_identity
from tasks.environment import Environment
from tasks.environment.models import Models
from tasks.langfuse.destination import langfuse_project
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.store_settings import store_settings


@dataclass(frozen=True)
class InCluster:
    """What the environment file cannot say of an environment on AWS: Terraform's `outputs`, and the mirrored models.

    `embeddings` are what the embedding models of the file are, by name.
    """

    outputs: Mapping[str, Any]
    embeddings: Mapping[str, EmbeddingIdentity]


WEB_SEARCH_MARGIN_SECONDS = 2.0
"""What the way to the web search server and back may take, beside the search."""


def agent_settings(
    environment: Environment,
    host: str,
    port: int,
    gateway_url: str,
    cluster: InCluster | None = None,
    prefect_api_url: str | None = None,
    web_search_url: str | None = None,
) -> service.Settings:
    """Everything the service is told, the key of the gateway by the name of its variable only.

    `prefect_api_url` is where it asks for a refresh of its knowledge base, when that is not what the file says. Without
    `web_search_url` it never asks the web.
    """
    models, agents = environment.models, environment.agents
    embeddings = {name: _embedding_model(models, name, cluster) for name in models.embeddings}
    fusion = environment.knowledge.fusion
    return service.Settings(
        environment=environment.name.value,
        host=host,
        port=port,
        gateway=service.Gateway(base_url=gateway_url, api_key_variable=GATEWAY_KEY),
        models=service.Models(
            reasoning=_chat_model(environment, models.reasoning),
            judge=None if models.judge is None else _chat_model(environment, models.judge),
            embedding=embeddings[models.embedding],
            former_embedding=None if models.former_embedding is None else embeddings[models.former_embedding],
        ),
        store=_store(environment, cluster.outputs if cluster else None),
        fusion=service.Fusion(method=fusion.method, dense_weight=fusion.dense_weight, candidates=fusion.candidates),
        limits=service.Limits(**agents.model_dump(include=set(service.Limits.model_fields))),
        prompt=service.Prompt(**agents.prompt.model_dump()) if agents.prompt else service.Prompt(),
        routing=service.Routing(**agents.routing.model_dump()) if agents.routing else service.Routing(),
        budgets=service.Budgets(**agents.budgets.model_dump()) if agents.budgets else service.Budgets(),
        freshness=_freshness(environment, prefect_api_url or environment.environment.prefect.api_url),
        web_search=_web_search(environment, web_search_url),
        access=access_settings(environment, cluster.outputs if cluster else None),
        langfuse=_langfuse(environment),
        mcp=service.McpRoute(allowed_hosts=_own_hosts(host, cluster)),
    )


def _freshness(environment: Environment, prefect_api_url: str) -> Freshness | None:
    freshness = environment.agents.freshness
    if freshness is None:
        return None
    credentials = freshness.prefect_credentials
    refresh = Refresh(
        api_url=prefect_api_url,
        deployment=f"knowledge/{environment.name.value}",
        credentials=None
        if credentials is None
        else PrefectCredentials(kind=credentials.kind, variable=credentials.variable),
    )
    return Freshness(
        objective_hours=freshness.objective_hours, window_minutes=freshness.window_minutes, refresh=refresh
    )


def _chat_model(environment: Environment, name: str) -> service.ChatModel:
    return service.ChatModel(name=name, context_tokens=environment.models.catalogue[name].context_tokens)


def _embedding_model(models: Models, name: str, cluster: InCluster | None) -> service.EmbeddingModel:
    identity = cluster.embeddings[name] if cluster else embedding_identity(models, name)
    return service.EmbeddingModel(
        name=identity.model,
        fingerprint=identity.fingerprint,
        dimension=identity.dimension,
        context_tokens=models.catalogue[name].context_tokens,
    )


def _web_search(environment: Environment, url: str | None) -> service.WebSearchServer | None:
    search = environment.agents.web_search
    if url is None or search is None:
        return None
    return service.WebSearchServer(url=url, seconds=search.seconds + WEB_SEARCH_MARGIN_SECONDS)


def _langfuse(environment: Environment) -> service.Langfuse | None:
    project = langfuse_project(environment)
    if project is None:
        return None
    return service.Langfuse(
        host=project.host, public_key=project.public_key, secret_key_variable=project.secret_variable
    )


def _own_hosts(host: str, cluster: InCluster | None) -> list[str]:
    """The names under which people and programs reach the service.

    In a cluster these are its domain, the names that cluster DNS knows it by, and, through a port-forward, localhost.
    Without a domain that leaves out the load balancer, whose name AWS makes up when the service is there.
    """
    local = ["127.0.0.1:*", "localhost:*"]
    if cluster is None:
        return list(dict.fromkeys([*local, f"{host}:*"]))
    domain = cluster.outputs["edge"]["domain"]
    in_cluster = [f"agents{suffix}:*" for suffix in ("", ".agents", ".agents.svc", ".agents.svc.cluster.local")]
    return [*local, *in_cluster, *([] if domain is None else [domain["name"]])]


def _store(environment: Environment, outputs: Mapping[str, Any] | None) -> service.LanceStore | service.OpenSearchStore:
    settings = store_settings(environment, outputs)
    if isinstance(settings, LanceSettings):
        return service.LanceStore(engine="lancedb", directory=str(settings.directory))
    return service.OpenSearchStore(
        engine="opensearch",
        endpoint=settings.endpoint,
        index_prefix=settings.index_prefix,
        shards=settings.shards,
        replicas=settings.replicas,
        region=settings.region,
    )

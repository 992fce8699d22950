"""The derived values of the release of the agent service: which versions run, where they may go, and the way in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agents.knowledge.generation import EmbeddingIdentity
from agents.serving.listening import IDLE_MARGIN_SECONDS
from agents.settings import Settings
from agents.web_search.results import MCP_PATH
from agents.web_search.settings import WebSearchSettings
from tasks.agent_service.access import CLIENT, GATE_KEY_VARIABLE, STATE_PASSWORD, access_settings
from tasks.agent_service.settings import InCluster, agent_settings
from tasks.environment import Environment
from tasks.environment.agents import GATE_KEY
from tasks.environment.gateway import GatewayClient
from tasks.environment.web_search import WebSearch
from tasks.helm.derivations.derivation import Derivation, Outputs
from tasks.helm.derivations.gateway import CLIENT as GATEWAY_SERVICE
from tasks.langfuse.destination import NAMESPACE as LANGFUSE_NAMESPACE
from tasks.langfuse.destination import PORT as LANGFUSE_PORT
from tasks.langfuse.destination import langfuse_project
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.laptop.web_search import cluster_web_search_settings
from tasks.released_images import require_image
from tasks.resource_names import name_prefix

Values = Mapping[str, object]

EVERYWHERE = "0.0.0.0"  # noqa: S104 - in the pod; who reaches it is decided by network policies
PORT = 8080
GATEWAY_NAMESPACE, GATEWAY_PORT = "gateway", 4000
GATEWAY_IN_CLUSTER = f"http://{GATEWAY_SERVICE}.{GATEWAY_NAMESPACE}.svc.cluster.local:{GATEWAY_PORT}"
WEB_SEARCH, WEB_SEARCH_PORT = "web-search", 8090
WEB_SEARCH_URL = f"http://{WEB_SEARCH}:{WEB_SEARCH_PORT}{MCP_PATH}"
HTTP_PORT, HTTPS_PORT = 80, 443
# Beside Terraform's outputs: which versions to run, where it is not simply the released one.
VERSIONS = "versions"
# Beside Terraform's outputs: the SHA-256 of the embedding model's mirrored files.
EMBEDDING_FINGERPRINT = "embedding_fingerprint"
FORMER_EMBEDDING_FINGERPRINT = "former_embedding_fingerprint"


class EmbeddingNotMirrored(Exception):
    """The service cannot tell the vectors of its model from those of another; says what to run."""


@dataclass(frozen=True)
class Version:
    """What runs: an image by digest, and the settings files that it understands.

    `settings` is the text of the service's, `web_search` of the web search server's, which is of the same image; None
    where nobody searches the web.
    """

    image: str
    settings: str
    web_search: str | None = None

    @property
    def digest(self) -> str:
        """The image's digest, by which people name the version."""
        return self.image.rpartition("@")[2]

    def values(self) -> dict[str, str]:
        """As the chart takes it."""
        search = {} if self.web_search is None else {"webSearch": self.web_search}
        return {"image": self.image, "settings": self.settings, **search}


def agents(settings: Environment, outputs: Outputs) -> Values:
    """The values of `infra/charts/agents`: the versions that `outputs` name, or the released one alone.

    Raises:
        ImagesMissing: no image `agents` was published.
        EmbeddingNotMirrored: see `released_version`.
    """
    released = VERSIONS not in outputs
    versions: Mapping[str, Version] = {"stable": released_version(settings, outputs)} if released else outputs[VERSIONS]
    stop_seconds = int(settings.agents.answer_seconds) + IDLE_MARGIN_SECONDS
    prefix = name_prefix(settings.name)
    values: dict[str, object] = {
        "region": settings.environment.region,
        "port": PORT,
        "versions": {track: version.values() for track, version in versions.items()},
        "stopSeconds": stop_seconds,
        "secrets": {**_secrets(settings, prefix), **_state_password(outputs)},
        "egress": _egress(settings, outputs),
        "ingress": _ingress(outputs, versions, prefix, stop_seconds),
    }
    if (search := settings.agents.web_search) is not None and versions:
        values["webSearch"] = _web_search(search, versions, prefix)
    if settings.addons is not None and settings.addons.keda:
        values["scaling"] = {"metricsEndpoint": outputs["observability"]["metrics"]["endpoint"]}
    return values


def released_version(settings: Environment, outputs: Outputs) -> Version:
    """The image that was published last, with the settings that the environment file gives.

    Raises:
        ImagesMissing: no image `agents` was published.
        EmbeddingNotMirrored: the weights of the embedding model are not in the environment's bucket.
    """
    return present_version(settings, outputs, require_image(settings.name, outputs["images"], "agents"))


def present_version(settings: Environment, outputs: Outputs, image: str) -> Version:
    """The image, with the settings that the environment file gives in the environment's cluster.

    Raises:
        EmbeddingNotMirrored: as `released_version`.
    """
    search = settings.agents.web_search
    return Version(
        image,
        settings_in_cluster(settings, outputs).model_dump_json(indent=2),
        None if search is None else _web_search_settings(search).model_dump_json(indent=2),
    )


def settings_in_cluster(settings: Environment, outputs: Outputs) -> Settings:
    """The settings of the service in the environment's cluster.

    Raises:
        EmbeddingNotMirrored: as `released_version`.
    """
    facts = (EMBEDDING_FINGERPRINT, FORMER_EMBEDDING_FINGERPRINT)
    embeddings = {
        name: _mirrored_identity(settings, name, outputs.get(fact))
        for name, fact in zip(settings.models.embeddings, facts, strict=False)
    }
    return agent_settings(
        settings, EVERYWHERE, PORT, GATEWAY_IN_CLUSTER, InCluster(outputs, embeddings), web_search_url=WEB_SEARCH_URL
    )


def _mirrored_identity(settings: Environment, name: str, fingerprint: str | None) -> EmbeddingIdentity:
    dimension = settings.models.catalogue[name].dimension
    if fingerprint is None or dimension is None:
        raise EmbeddingNotMirrored(f"the embedding model {name!r} is not mirrored: run models/{settings.name.value}")
    return EmbeddingIdentity(model=name, fingerprint=fingerprint, dimension=dimension)


def _state_password(outputs: Outputs) -> Values:
    server = outputs["data"]["postgres"].get(CLIENT)
    return {} if server is None else {STATE_PASSWORD: {"key": server["secret_arn"], "property": "password"}}


def _web_search_settings(search: WebSearch) -> WebSearchSettings:
    return cluster_web_search_settings(search, EVERYWHERE, WEB_SEARCH_PORT, WEB_SEARCH)


def _web_search(search: WebSearch, versions: Mapping[str, Version], prefix: str) -> Values:
    """The server is of the version that people are served by, and before the first release of the canary."""
    settings = _web_search_settings(search)
    version = next(versions[track] for track in ("stable", "canary") if track in versions)
    return {
        "image": version.image,
        "port": WEB_SEARCH_PORT,
        # What was released before the web was searched has no such file of its own.
        "settings": version.web_search or settings.model_dump_json(indent=2),
        "secrets": {settings.api_key_variable: {"key": f"{prefix}/{search.key_secret}"}},
    }


def _secrets(settings: Environment, prefix: str) -> Values:
    # Under the name that the settings of every released version know.
    secrets = {GATEWAY_KEY: {"key": f"{prefix}/{GatewayClient.AGENTS.secret}"}}
    if (langfuse := langfuse_project(settings)) is not None and langfuse.secret_name is not None:
        secrets[langfuse.secret_variable] = {"key": langfuse.secret_name}
    if settings.agents.callers_sign_in:
        secrets[GATE_KEY_VARIABLE] = {"key": f"{prefix}/{GATE_KEY}"}
    if (freshness := settings.agents.freshness) is not None and freshness.prefect_credentials is not None:
        credentials = freshness.prefect_credentials
        secrets[credentials.variable] = {"key": f"{prefix}/{credentials.secret}"}
    return secrets


def _egress(settings: Environment, outputs: Outputs) -> Values:
    langfuse, balancer = langfuse_project(settings), access_settings(settings, outputs).sign_in.load_balancer
    in_cluster = settings.addons is not None and settings.addons.langfuse_in_cluster
    called = [settings.environment.prefect.api_url]
    if langfuse is not None and not in_cluster:
        called.append(langfuse.host)
    if balancer is not None and settings.agents.callers_sign_in:
        called.append(balancer.keys_url)
    outside = {_port(url) for url in called}
    stores = [outputs["data"]["postgres"][CLIENT]] if CLIENT in outputs["data"]["postgres"] else []
    if settings.data is not None and CLIENT in settings.data.valkey:
        stores.append(outputs["valkey"][CLIENT])
    return {
        "gateway": {"namespace": GATEWAY_NAMESPACE, "port": GATEWAY_PORT},
        "namespaces": {LANGFUSE_NAMESPACE: [LANGFUSE_PORT]} if in_cluster else {},
        "vpc": outputs["network"]["vpc_cidr"],
        # A Prefect or Langfuse of one's own may be in the VPC as well.
        "vpcPorts": sorted({HTTPS_PORT, *(store["port"] for store in stores), *outside}),
        "outside": sorted(outside),
        "neighbours": [] if settings.network is None else list(settings.network.neighbours),
    }


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or {"http": HTTP_PORT, "https": HTTPS_PORT}[parts.scheme]


def _ingress(outputs: Outputs, versions: Mapping[str, Version], prefix: str, stop_seconds: int) -> Values:
    edge: Mapping[str, Any] = outputs["edge"]
    values: dict[str, object] = {
        "name": prefix,
        "webAcl": outputs["firewall"]["web_acl_arn"],
        "accessLogBucket": edge["access_log_bucket"],
        # A stream is silent while a sentence is checked.
        "idleSeconds": stop_seconds,
    }
    if (domain := edge["domain"]) is not None:
        values["domain"] = {"name": domain["name"], "certificate": domain["certificate_arn"]}
    if (sign_in := edge["sign_in"]) is not None:
        values["signIn"] = _sign_in(sign_in, prefix)
        values["programs"] = "allow" if _checks_callers(versions) else "authenticate"
    return values


def _checks_callers(versions: Mapping[str, Version]) -> bool:
    """Whether what serves asks every caller who they are, so that programs with a key need not sign in before it.

    The settings may be those of an earlier release, so they are not held to the form of this one.
    """
    stable = versions.get("stable")
    settings: Mapping[str, Any] = {} if stable is None else json.loads(stable.settings)
    return bool(settings.get("access", {}).get("sign_in", {}).get("required", False))


def _sign_in(sign_in: Mapping[str, Any], prefix: str) -> Values:
    if (cognito := sign_in["cognito"]) is not None:
        return {
            "cognito": {
                "userPoolARN": cognito["user_pool_arn"],
                "userPoolClientID": cognito["client_id"],
                "userPoolDomain": cognito["domain"],
            }
        }
    oidc = sign_in["oidc"]
    return {
        "oidc": {
            "issuer": oidc["issuer"],
            "authorizationEndpoint": oidc["authorization_endpoint"],
            "tokenEndpoint": oidc["token_endpoint"],
            "userInfoEndpoint": oidc["user_info_endpoint"],
            "clientId": oidc["client_id"],
            "clientSecret": f"{prefix}/{oidc['client_secret']}",
        }
    }


DERIVATIONS: Mapping[str, Derivation] = {"agents": agents}

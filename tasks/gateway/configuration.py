"""The LiteLLM gateway: its configuration, out of the environment file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tasks.environment.models import Model, Models
from tasks.laptop.secret_file import GATEWAY_KEY

RETRIES = 2
# How long an answer is given again to the same request, in seconds.
CACHE_SECONDS = 600
HEALTH_PATH = "/health/liveliness"
# What is paid for such a model are its nodes. Only where LiteLLM is told so, it is asked also beyond a client's budget.
FREE = {"input_cost_per_token": 0, "output_cost_per_token": 0}
# Nothing is fetched at start, nothing is reported home, and no page is served.
GATEWAY_ENVIRONMENT = {
    "DISABLE_ADMIN_UI": "True",
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_TELEMETRY": "False",
    "NO_DOCS": "True",
}


@dataclass(frozen=True)
class ValkeyCache:
    """A cache in ElastiCache for Valkey, where the gateway signs in as itself (IAM).

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """

    host: str
    port: int
    user: str
    cache: str


@dataclass(frozen=True)
class SharedState:
    """What the replicas of a gateway share: keys and budgets in `postgres`, answers in `cache`."""

    postgres: bool = False
    cache: ValkeyCache | None = None


def render_gateway_configuration(
    models: Models,
    addresses: Mapping[str, str],
    region: str | None,
    request_seconds: float,
    shared: SharedState | None = None,
) -> str:
    """LiteLLM's configuration file (YAML) for the catalogue of `models`.

    `addresses` holds the base URL of each model's server, by the model's name, for all that do not run on Bedrock.
    `request_seconds` is the longest that one call may take. Source: https://docs.litellm.ai/docs/proxy/config_settings.

    Raises:
        KeyError: a model has no address.
    """
    configuration: dict[str, Any] = {
        "model_list": [_route(name, model, addresses, region) for name, model in sorted(models.catalogue.items())],
        "litellm_settings": {
            "drop_params": True,
            "num_retries": RETRIES,
            "request_timeout": request_seconds,
            "telemetry": False,
            "turn_off_message_logging": True,
            # A stream has no header for what it cost; its last chunk may say it.
            "include_cost_in_streaming_usage": True,
            "fallbacks": [
                {name: list(model.fallbacks)} for name, model in sorted(models.catalogue.items()) if model.fallbacks
            ],
        },
        # With one server a model there is nothing to turn to: resting it would only make an outage longer.
        "router_settings": {"disable_cooldowns": True},
        "general_settings": {"master_key": f"os.environ/{GATEWAY_KEY}"},
    }
    if shared is not None:
        configuration["litellm_settings"] |= {"json_logs": True, **_cache_settings(shared.cache, region)}
        if shared.postgres:
            # LiteLLM takes the database's address and password from its environment. Without it nobody gets a new key,
            # but those who have one are served.
            configuration["general_settings"]["allow_requests_on_db_unavailable"] = True
    return yaml.safe_dump(configuration, sort_keys=False)


def _cache_settings(cache: ValkeyCache | None, region: str | None) -> dict[str, Any]:
    if cache is None:
        return {}
    return {
        "cache": True,
        "cache_params": {
            "type": "redis",
            "host": cache.host,
            "port": cache.port,
            "ssl": True,
            "ttl": CACHE_SECONDS,
            "aws_iam_auth": True,
            "aws_iam_user_name": cache.user,
            "aws_iam_cache_name": cache.cache,
            "aws_iam_region": region,
        },
    }


def _route(name: str, model: Model, addresses: Mapping[str, str], region: str | None) -> dict[str, Any]:
    if model.bedrock_id is not None:
        parameters: dict[str, Any] = {"model": f"bedrock/{model.bedrock_id}"}
        if region is not None:
            parameters["aws_region_name"] = region
    else:
        # The servers are reached on a private address and have no key of their own; the client wants one all the same.
        parameters = {"model": f"openai/{name}", "api_base": f"{addresses[name]}/v1", "api_key": "unused", **FREE}
    mode = "chat" if model.dimension is None else "embedding"
    return {"model_name": name, "litellm_params": parameters, "model_info": {"mode": mode}}

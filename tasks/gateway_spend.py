"""What the models cost by the gateway's own account of it: by caller and by model.

Source: https://docs.litellm.ai/docs/proxy/cost_tracking; `view_spend_logs` of the pinned LiteLLM for the form of a day.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import httpx
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter

from tasks.eks_cluster import find_cluster
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.faults import ClusterFault
from tasks.kubernetes.port_forward import forwarded
from tasks.model_readiness import GATEWAY, GATEWAY_NAMESPACE, GATEWAY_PORT, MASTER_KEY
from tasks.run_log import run_log
from tasks.secret_value import stored_secret

KEY_DIGITS = 12
_SECONDS = 60


class SpendRefused(Exception):
    """The gateway answers, and does not tell what was spent."""


class _Day(BaseModel):
    """One day's sum; beside these fields it has the spend of each key by the hash of the key."""

    model_config = ConfigDict(extra="allow")

    startTime: str  # noqa: N815 - LiteLLM's name
    spend: float
    users: dict[str, float]
    models: dict[str, float]


_DAYS = TypeAdapter(list[_Day])
_KEYS = TypeAdapter(dict[str, float])


@dataclass(frozen=True)
class GatewaySpend:
    """US dollars by the price of tokens: `by_caller` by the first digits of the hash of the caller's key."""

    by_caller: Mapping[str, float]
    by_model: Mapping[str, float]


@task(task_run_name="read-gateway-spend", cache_policy=NO_CACHE, persist_result=False)
def read_gateway_spend(settings: Environment, since: date, until: date) -> GatewaySpend | None:
    """What the callers of the environment's gateway spent; None where nothing leads to the gateway, which the log says.

    Raises:
        SpendRefused: the gateway answers something else.
    """
    if find_cluster(settings) is None:
        run_log().info("there is no cluster, and so no gateway that could be asked what was spent")
        return None
    key = stored_secret(settings, MASTER_KEY)
    assert key is not None  # noqa: S101 - the model guarantees this secret where there is a gateway
    try:
        with (
            open_environment_cluster(settings, load_outputs(settings.name)) as destination,
            forwarded(destination.kubeconfig, GATEWAY_NAMESPACE, f"service/{GATEWAY}", GATEWAY_PORT) as address,
        ):
            return spend_at(address, key, since, until)
    except ClusterFault as fault:
        run_log().warning("the gateway's account of its spend is left out, because no way leads to it: %s", fault)
        return None


def spend_at(address: str, key: SecretStr, since: date, until: date) -> GatewaySpend:
    """Ask the gateway at `address` with its master key.

    Raises:
        SpendRefused: it refuses, such as one without a database, which counts nothing.
    """
    days = {"start_date": since.isoformat(), "end_date": until.isoformat()}
    bearer = {"authorization": f"Bearer {key.get_secret_value()}"}
    # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
    answer = httpx.get(f"{address}/spend/logs", params=days, headers=bearer, timeout=_SECONDS, trust_env=False)
    if not answer.is_success:
        raise SpendRefused(
            f"the gateway answers {answer.status_code} to the question what was spent: {answer.text[:500]}"
        )
    by_caller, by_model = defaultdict[str, float](float), defaultdict[str, float](float)
    for day in _DAYS.validate_json(answer.content):
        for model, usd in day.models.items():
            by_model[model] += usd
        for hashed, usd in _KEYS.validate_python(day.model_extra).items():
            by_caller[hashed[:KEY_DIGITS]] += usd
    return GatewaySpend(dict(by_caller), dict(by_model))

"""What the models cost by the gateway's own account of it: by caller and by model.

Source: https://docs.litellm.ai/docs/proxy/cost_tracking; `view_spend_logs` of the pinned LiteLLM for the form of a day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter

from tasks.eks_cluster import find_cluster
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.gateway_key import accepted_gateway_key, bearer, forwarded_client
from tasks.helm.derivations.gateway import MASTER_KEY
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.faults import ClusterFault
from tasks.kubernetes.port_forward import forwarded
from tasks.model_readiness import GATEWAY, GATEWAY_NAMESPACE, GATEWAY_PORT
from tasks.run_log import run_log
from tasks.secret_value import stored_values

KEY_DIGITS = 12


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
    """US dollars by the price of tokens: `by_caller` by the first digits of the hash of the caller's key.

    What Bedrock's models cost is part of AWS's bill too.
    """

    by_caller: Mapping[str, float]
    by_model: Mapping[str, float]

    @property
    def rows(self) -> list[dict[str, object]]:
        """A row a caller and a model, the most expensive first."""
        spent = {"caller": self.by_caller, "model": self.by_model}
        return [
            {"by": kind, "name": name, "usd": round(usd, 4)}
            for kind, each in spent.items()
            for name, usd in sorted(each.items(), key=lambda line: -line[1])
        ]


@task(task_run_name="read-gateway-spend", cache_policy=NO_CACHE, persist_result=False)
def read_gateway_spend(settings: Environment, since: date, until: date) -> GatewaySpend | None:
    """What the callers of the environment's gateway spent; None where nothing leads to the gateway, which the log says.

    Raises:
        OutputsMissing: the environment was not provisioned from this Prefect server.
        MissingCredentials, ClientError: the gateway's key cannot be read.
        GatewayKeyRefused, SpendRefused, HTTPError: the gateway answers something else, or nothing.
    """
    if find_cluster(settings) is None:
        run_log().info("there is no cluster, and so no gateway that could be asked what was spent")
        return None
    keys = stored_values(settings, MASTER_KEY)
    assert keys  # noqa: S101 - the model guarantees this secret where there is a gateway
    try:
        with (
            open_environment_cluster(settings, load_outputs(settings.name)) as destination,
            forwarded(destination.kubeconfig, GATEWAY_NAMESPACE, f"service/{GATEWAY}", GATEWAY_PORT) as address,
        ):
            return spend_at(address, keys, since, until)
    except ClusterFault as fault:
        run_log().warning("the gateway's account of its spend is left out, because no way leads to it: %s", fault)
        return None


def spend_at(address: str, keys: Sequence[SecretStr], since: date, until: date) -> GatewaySpend:
    """Ask the gateway at `address` with the one of its master `keys` that it lets in.

    Raises:
        GatewayKeyRefused: it lets none of them in.
        SpendRefused: it refuses, such as one without a database, which counts nothing.
        HTTPError: it does not answer.
    """
    days = {"start_date": since.isoformat(), "end_date": until.isoformat()}
    with forwarded_client(address) as gateway:
        key = accepted_gateway_key(gateway, keys)
        answer = gateway.get("/spend/logs", params=days, headers=bearer(key))
    if not answer.is_success:
        # Without the body, in which a gateway may quote the key.
        raise SpendRefused(
            f"the gateway answers {answer.status_code} to the question what was spent (GET /spend/logs): its own log "
            "says why"
        )
    by_caller, by_model = defaultdict[str, float](float), defaultdict[str, float](float)
    for day in _DAYS.validate_json(answer.content):
        for model, usd in day.models.items():
            by_model[model] += usd
        for hashed, usd in _KEYS.validate_python(day.model_extra).items():
            by_caller[hashed[:KEY_DIGITS]] += usd
    return GatewaySpend(dict(by_caller), dict(by_model))

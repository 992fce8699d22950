"""What the models of an environment's cluster cost, as its gateway counted."""

from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.eks_cluster import find_cluster
from tasks.environment import Environment
from tasks.environment.models import Models
from tasks.environment_outputs import load_outputs
from tasks.gateway.account import GatewaySpend, spend_at
from tasks.helm.derivations.gateway import MASTER_KEY
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.faults import ClusterFault
from tasks.kubernetes.port_forward import forwarded
from tasks.models.readiness import GATEWAY, GATEWAY_NAMESPACE, GATEWAY_PORT
from tasks.runs.log import run_log
from tasks.secret_value import stored_values


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
            return spend_at(address, keys, since, until, judges_of(settings.models))
    except ClusterFault as fault:
        run_log().warning("the gateway's account of its spend is left out, because no way leads to it: %s", fault)
        return None


def judges_of(models: Models) -> frozenset[str]:
    """Under which names the gateway accounts for the model that judges: its own, and the provider's."""
    names = () if models.judge is None else (models.judge, models.catalogue[models.judge].bedrock_id)
    return frozenset(name for name in names if name is not None)

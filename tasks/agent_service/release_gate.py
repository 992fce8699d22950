"""The gate of a release: the way to the canary and to the version that serves, which are asked side by side."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.agent_service.http_api import AssistantUnavailable
from tasks.agent_service.release_comparison import Verdict, ask_both
from tasks.environment import REPOSITORY, Environment
from tasks.environment.agents import GATE_KEY, Gate
from tasks.environment_outputs import load_outputs
from tasks.golden.dataset import GoldenQuestion, read_golden_set, spread
from tasks.helm.derivations.agents import PORT
from tasks.helm.target import open_target
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.objects import PODS, list_all
from tasks.kubernetes.port_forward import ForwardFailed, forwarded
from tasks.kubernetes.probe_result import Outcome
from tasks.kubernetes.workloads import simulated_nodes
from tasks.secret_value import stored_values

NAMESPACE, SERVING, CANARY = "agents", "agents", "agents-canary"
NAME_LABEL = "app.kubernetes.io/name"
# Beyond what the service lets an answer take, so that it is the service that gives up, and says so.
MARGIN_SECONDS = 30.0


def questions_for_canary(settings: Environment) -> list[GoldenQuestion]:
    """As many golden questions as the environment's gate asks.

    Raises:
        InvalidGoldenSet: the questions cannot be read.
    """
    return spread(read_golden_set(REPOSITORY / settings.evaluation.dataset), _gate(settings).questions)


@task(task_run_name="ask-golden-questions", cache_policy=NO_CACHE, persist_result=False)
def prove_canary(settings: Environment, questions: Sequence[GoldenQuestion], compare: bool) -> Verdict:
    """Ask the canary the questions, and, with `compare`, the version that serves.

    Where the canary's pods are on simulated nodes, nothing can answer: the outcome is not-proved.

    Raises:
        NoCluster, WrongCluster, ClusterFault: the cluster cannot be used, refuses or does not answer.
        MissingCredentials, ClientError: the key with which the gate asks cannot be read.
    """
    seconds = settings.agents.answer_seconds + MARGIN_SECONDS
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        if held := _simulated(target.connection):
            seen = f"the canary's pods are on simulated nodes such as {held[0]}, which run nothing"
            return Verdict(Outcome.NOT_PROVED, seen)
        try:
            keys = stored_values(settings, GATE_KEY) if settings.agents.callers_sign_in else ()
            with _ways(destination.kubeconfig, compare) as (canary, serving):
                return ask_both(canary, serving, questions, _gate(settings), seconds, keys)
        except (AssistantUnavailable, ForwardFailed) as error:
            return Verdict(Outcome.FAILED, str(error))


def _gate(settings: Environment) -> Gate:
    return settings.agents.gate or Gate()


@contextmanager
def _ways(kubeconfig: Path, compare: bool) -> Generator[tuple[str, str | None]]:
    with ExitStack() as ways:
        canary = ways.enter_context(forwarded(kubeconfig, NAMESPACE, f"service/{CANARY}", PORT))
        try:
            there = (
                ways.enter_context(forwarded(kubeconfig, NAMESPACE, f"service/{SERVING}", PORT)) if compare else None
            )
        except ForwardFailed:
            there = None
        yield canary, there


def _simulated(connection: Connection) -> list[str]:
    simulated = simulated_nodes(connection)
    pods = [pod for pod in list_all(connection, PODS) if pod["metadata"]["namespace"] == NAMESPACE]
    own = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == CANARY]
    return sorted({str(pod["spec"].get("nodeName", "")) for pod in own} & simulated)

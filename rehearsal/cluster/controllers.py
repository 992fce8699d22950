"""The real controllers beside the control plane: Karpenter, which launches simulated nodes, and KubeRay's operator."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rehearsal.cluster.api import Document, KubernetesApi, Refused, read_documents
from rehearsal.cluster.builds import built
from rehearsal.cluster.cluster import Cluster, answers
from rehearsal.cluster.instance_types import instance_types, known_types
from rehearsal.cluster.processes import Command, RunningProcess, running, wait_until
from rehearsal.cluster.programs import KARPENTER, KARPENTER_AWS, KWOK, RAY_OPERATOR
from rehearsal.cluster.simulated_nodes import kwok
from rehearsal.ports import HOST, free_port

# The name in which the rollout of add-ons sets fields: it replaces these definitions by those of its charts.
ROLLOUT = "agentic-eks"
NODE_CLASS = Path(__file__).with_name("karpenter.yaml")


@contextmanager
def running_kwok(cluster: Cluster) -> Generator[RunningProcess]:
    """Run kwok for the block: it plays the kubelets of the nodes that say that they are simulated, and of no other.

    Raises:
        CannotBuild: it is missing and cannot be built.
        ClusterFailed: it is not ready in time.
    """
    port = free_port()
    command = kwok(built(KWOK).programs["kwok"], cluster.kubeconfig, port)
    with running(command, cluster.directory) as process:
        wait_until(lambda: answers(f"http://{HOST}:{port}/healthz"), process)
        yield process


@contextmanager
def running_karpenter(cluster: Cluster, zones: Sequence[str]) -> Generator[RunningProcess]:
    """Run Karpenter for the block; the nodes that it launches in `zones` are simulated.

    It chooses among the types of infra/instance-types.json. Node pools that refer to an EC2NodeClass are made to refer
    to the node class of simulated nodes when they are stored.

    Raises:
        CannotBuild: it is missing and cannot be built.
        ClusterFailed: it is not ready in time.
    """
    karpenter = built(KARPENTER)
    manifests = (karpenter.manifests, built(KARPENTER_AWS).manifests)
    _define(cluster.api, read_documents(path for directory in manifests for path in directory.glob("*.yaml")))
    cluster.api.apply(*read_documents([NODE_CLASS]))
    types = cluster.directory / "instance-types.json"
    types.write_text(json.dumps(instance_types(known_types(), zones)), encoding="utf-8")
    metrics, health = free_port(), free_port()
    environment = {
        **cluster.environment,
        "DISABLE_LEADER_ELECTION": "true",
        "METRICS_PORT": str(metrics),
        "HEALTH_PROBE_PORT": str(health),
        "INSTANCE_TYPES_FILE_PATH": str(types),
        "SYSTEM_NAMESPACE": "kube-system",
    }
    command = Command("karpenter", karpenter.programs["karpenter"], (), environment)
    with running(command, cluster.directory) as process:
        wait_until(lambda: answers(f"http://{HOST}:{health}/readyz"), process)
        wait_until(lambda: _takes_node_pools(cluster.api), process)
        yield process


@contextmanager
def running_ray_operator(cluster: Cluster, environment: Mapping[str, str] | None = None) -> Generator[RunningProcess]:
    """Run the KubeRay operator for the block, without its webhooks.

    `environment` has more variables for it, such as HTTP_PROXY, behind which somebody plays the Ray of simulated pods.

    Raises:
        CannotBuild: it is missing and cannot be built.
        ClusterFailed: it is not ready in time.
    """
    operator = built(RAY_OPERATOR)
    _define(cluster.api, read_documents(operator.manifests.glob("*.yaml")))
    metrics, health = free_port(), free_port()
    arguments = (
        "--enable-leader-election=false",
        f"--metrics-addr={HOST}:{metrics}",
        f"--health-probe-bind-address={HOST}:{health}",
    )
    variables = {**cluster.environment, **(environment or {})}
    command = Command("ray-operator", operator.programs["ray-operator"], arguments, variables)
    with running(command, cluster.directory) as process:
        wait_until(lambda: answers(f"http://{HOST}:{health}/readyz"), process)
        yield process


def _takes_node_pools(api: KubernetesApi) -> bool:
    """Whether the node class is swapped: the API server learns of the policy and of kinds in its own time."""
    node_class = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}
    pool = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "tried"},
        "spec": {"template": {"spec": {"nodeClassRef": node_class, "requirements": []}}},
    }
    try:
        stored = api.create("/apis/karpenter.sh/v1/nodepools?dryRun=All", pool)
    except Refused as error:
        if "There can be a delay" not in str(error):
            raise
        return False
    return stored["spec"]["template"]["spec"]["nodeClassRef"]["kind"] != node_class["kind"]


def _define(api: KubernetesApi, definitions: Sequence[Document]) -> None:
    """Install the custom resource definitions that are not there yet, and wait until the API serves all."""
    api.apply(*(each for each in definitions if not api.exists(api.path_of(each))), manager=ROLLOUT)
    for definition in definitions:
        spec = definition["spec"]
        version = next(version["name"] for version in spec["versions"] if version["storage"])
        api.wait_until_served(f"{spec['group']}/{version}", spec["names"]["kind"])

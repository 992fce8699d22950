"""The real controllers beside the control plane: Karpenter, which launches simulated nodes, and KubeRay's operator."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rehearsal.cluster.api import Document, KubernetesApi, read_documents
from rehearsal.cluster.builds import built
from rehearsal.cluster.cluster import Cluster, answers
from rehearsal.cluster.instance_types import instance_types, read_sizes
from rehearsal.cluster.processes import HOST, Command, RunningProcess, free_ports, running, wait_until
from rehearsal.cluster.programs import KARPENTER, RAY_OPERATOR

# The name in which the rollout of add-ons sets fields: it replaces these definitions by those of its charts.
ROLLOUT = "agentic-eks"
NODE_CLASS = Path(__file__).with_name("karpenter.yaml")


@contextmanager
def running_karpenter(cluster: Cluster, zones: Sequence[str]) -> Generator[RunningProcess]:
    """Run Karpenter for the block; the nodes that it launches in `zones` are simulated.

    It chooses among the sizes of instance_sizes.yaml. Node pools that refer to an EC2NodeClass are made to refer to the
    node class of simulated nodes when they are stored.

    Raises:
        CannotBuild: it is missing and cannot be built.
        ClusterFailed: it is not ready in time.
    """
    karpenter = built(KARPENTER)
    _define(cluster.api, read_documents(karpenter.manifests.glob("*.yaml")))
    cluster.api.apply(*read_documents([NODE_CLASS]))
    types = cluster.directory / "instance-types.json"
    types.write_text(json.dumps(instance_types(read_sizes(), zones)), encoding="utf-8")
    metrics, health = free_ports(2)
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
        yield process


@contextmanager
def running_ray_operator(cluster: Cluster) -> Generator[RunningProcess]:
    """Run the KubeRay operator for the block, without its webhooks.

    Raises:
        CannotBuild: it is missing and cannot be built.
        ClusterFailed: it is not ready in time.
    """
    operator = built(RAY_OPERATOR)
    _define(cluster.api, read_documents(operator.manifests.glob("*.yaml")))
    metrics, health = free_ports(2)
    arguments = (
        "--enable-leader-election=false",
        f"--metrics-addr={HOST}:{metrics}",
        f"--health-probe-bind-address={HOST}:{health}",
    )
    command = Command("ray-operator", operator.programs["ray-operator"], arguments, cluster.environment)
    with running(command, cluster.directory) as process:
        wait_until(lambda: answers(f"http://{HOST}:{health}/readyz"), process)
        yield process


def _define(api: KubernetesApi, definitions: Sequence[Document]) -> None:
    """Install the custom resource definitions that are not there yet, and wait until the API serves all."""
    api.apply(*(each for each in definitions if not api.exists(api.path_of(each))), manager=ROLLOUT)
    for definition in definitions:
        spec = definition["spec"]
        version = next(version["name"] for version in spec["versions"] if version["storage"])
        api.wait_until_served(f"{spec['group']}/{version}", spec["names"]["kind"])

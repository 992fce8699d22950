"""The environment's cluster in a rehearsal: what EKS, its node group and the add-ons' programs would be on AWS."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rehearsal.authenticator import Authenticator, running_authenticator
from rehearsal.aws import EmulatedAws
from rehearsal.cluster import (
    Cluster,
    SimulatedNode,
    existing_cluster,
    running_cluster,
    running_karpenter,
    running_kwok,
    running_ray_operator,
)
from rehearsal.played_ray import playing_ray_serve
from rehearsal.token_proxy import running_token_proxy
from tasks.environment import Environment
from tasks.resource_names import name_prefix

# As modules/cluster/nodes.tf makes the managed node group.
SYSTEM_LABELS = {"agentic-eks/pool": "system", "eks.amazonaws.com/nodegroup": "system"}
SYSTEM_TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}


@contextmanager
def running_environment_cluster(settings: Environment, aws: EmulatedAws, kubeconfig: Path | None) -> Generator[Cluster]:
    """Run the cluster of an environment, known to its emulated EKS, with Karpenter and the KubeRay operator.

    With a `kubeconfig` that cluster is used instead; its own nodes stay as they are, beside simulated ones.

    Raises:
        CannotBuild: a program is missing and cannot be built.
        ClusterFailed: a part of it is not ready in time.
    """
    assert settings.network is not None  # noqa: S101 - the model guarantees it on AWS
    with ExitStack() as stack:
        authenticator = Authenticator(aws, name_prefix(settings.name))
        if kubeconfig is None:
            cluster = stack.enter_context(running_cluster())
            stack.enter_context(running_authenticator(authenticator, cluster))
        else:
            cluster = stack.enter_context(existing_cluster(kubeconfig))
            stack.enter_context(running_kwok(cluster))
            place = stack.enter_context(running_token_proxy(kubeconfig, authenticator, cluster.directory))
            aws.place_cluster(authenticator.cluster, place.address, place.authority)
        cluster.add_nodes(system_nodes(settings))
        stack.enter_context(running_karpenter(cluster, tuple(settings.network.zones)))
        played = stack.enter_context(playing_ray_serve())
        stack.enter_context(running_ray_operator(cluster, {"HTTP_PROXY": played}))
        yield cluster


def system_nodes(settings: Environment) -> list[SimulatedNode]:
    """The managed node group's nodes at its smallest, spread over the environment's zones as EKS spreads them."""
    region, network, cluster = settings.environment.region, settings.network, settings.cluster
    assert region is not None and network is not None and cluster is not None  # noqa: S101, PT018 - on AWS
    zones = sorted(network.zones)
    return [
        SimulatedNode(
            f"system-{number}",
            zones[number % len(zones)],
            region,
            instance_type=cluster.system_nodes.instance_types[0],
            labels=SYSTEM_LABELS,
            taints=(SYSTEM_TAINT,),
        )
        for number in range(cluster.system_nodes.minimum)
    ]

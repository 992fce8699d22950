"""A Kubernetes cluster on one machine: the real control plane and the real controllers, with simulated nodes."""

from rehearsal.cluster.cluster import Cluster, existing_cluster, running_cluster, why_no_cluster
from rehearsal.cluster.controllers import running_karpenter, running_kwok, running_ray_operator
from rehearsal.cluster.simulated_nodes import SimulatedNode

__all__ = [
    "Cluster",
    "SimulatedNode",
    "existing_cluster",
    "running_cluster",
    "running_karpenter",
    "running_kwok",
    "running_ray_operator",
    "why_no_cluster",
]

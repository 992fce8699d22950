"""Nodes without machines: kwok plays their kubelets, so pods on them become ready and end, but run nothing.

Each carries kwok's own annotation, by which anybody can tell that it is simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.cluster.processes import Command
from rehearsal.ports import HOST

SIMULATED = "kwok.x-k8s.io/node"
# The value of SIMULATED; Karpenter's kwok provider writes the same.
FAKE = "fake"
CONFIGURATION = Path(__file__).with_name("kwok.yaml")


def kwok(program: Path, kubeconfig: Path, port: int) -> Command:
    """The command that plays the kubelets of all nodes that say that they are simulated."""
    arguments = (
        f"--config={CONFIGURATION}",
        f"--kubeconfig={kubeconfig}",
        f"--manage-nodes-with-annotation-selector={SIMULATED}={FAKE}",
        f"--server-address={HOST}:{port}",
        "--node-port=0",
    )
    return Command("kwok", program, arguments)


@dataclass(frozen=True)
class SimulatedNode:
    """A node that is there from the start, such as one of the managed group that add-ons run on."""

    name: str
    zone: str
    region: str
    instance_type: str = "m7g.large"
    architecture: str = "arm64"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Mapping[str, str], ...] = ()
    # What an m7g.large has to give: https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html, less what the
    # kubelet keeps to itself.
    resources: Mapping[str, str] = field(
        default_factory=lambda: {"cpu": "1930m", "memory": "7Gi", "pods": "110", "ephemeral-storage": "18Gi"}
    )

    @property
    def document(self) -> dict[str, Any]:
        """The node as the API knows it; kwok makes it ready."""
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": self.architecture,
            "node.kubernetes.io/instance-type": self.instance_type,
            "topology.kubernetes.io/region": self.region,
            "topology.kubernetes.io/zone": self.zone,
            **self.labels,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels, "annotations": {SIMULATED: FAKE}},
            "spec": {"taints": [dict(taint) for taint in self.taints]},
            "status": {"allocatable": dict(self.resources), "capacity": dict(self.resources)},
        }

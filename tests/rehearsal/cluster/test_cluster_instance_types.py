import json
from typing import Any

import pytest

from rehearsal.cluster.instance_types import allocatable_mib, allocatable_millicpu, instance_types, known_types
from tests.conftest import ZONES

TYPES = {entry["name"]: entry for entry in instance_types(known_types(), ZONES)}


def labels(offering: dict[str, Any]) -> dict[str, str]:
    return {requirement["key"]: requirement["values"][0] for requirement in offering["Requirements"]}


def test_every_type_is_offered_in_every_zone_on_demand_and_cheaper_as_spot() -> None:
    for entry in TYPES.values():
        prices = {
            (labels(offering)["topology.kubernetes.io/zone"], labels(offering)["karpenter.sh/capacity-type"]): offering[
                "Price"
            ]
            for offering in entry["offerings"]
        }
        assert set(prices) == {(zone, kind) for zone in ZONES for kind in ("on-demand", "spot")}
        assert all(prices[zone, "spot"] < prices[zone, "on-demand"] for zone in ZONES)


@pytest.mark.parametrize(
    ("name", "architecture", "resource", "count"),
    [
        ("g5.12xlarge", "amd64", "nvidia.com/gpu", "4"),
        ("g6.48xlarge", "amd64", "nvidia.com/gpu", "8"),
        ("inf2.48xlarge", "amd64", "aws.amazon.com/neuroncore", "24"),
        ("trn1.32xlarge", "amd64", "aws.amazon.com/neuron", "16"),
    ],
)
def test_accelerators_are_counted(name: str, architecture: str, resource: str, count: str) -> None:
    assert TYPES[name]["architecture"] == architecture
    assert TYPES[name]["resources"][resource] == count


def test_graviton_is_arm64_without_accelerators() -> None:
    for name in ("m7g.large", "c7g.16xlarge", "r7g.medium", "m8g.48xlarge"):
        assert TYPES[name]["architecture"] == "arm64"
        assert set(TYPES[name]["resources"]) == {"cpu", "memory", "pods", "ephemeral-storage"}


@pytest.mark.parametrize(("cpus", "millicpu"), [(1, 940), (2, 1930), (4, 3920), (8, 7910), (96, 95690)])
def test_the_kubelet_keeps_its_share_of_the_processors(cpus: int, millicpu: int) -> None:
    assert allocatable_millicpu(cpus) == millicpu


def test_the_kubelet_and_the_hypervisor_keep_their_share_of_the_memory() -> None:
    # 8 GiB less 7.5 %, 255 MiB, 11 MiB for each of 110 pods, 100 MiB.
    assert allocatable_mib(8) == 7577 - 255 - 1210 - 100


def test_labels_are_those_that_karpenter_gives_on_aws() -> None:
    known = labels(TYPES["g6e.2xlarge"]["offerings"][0])

    assert known["karpenter.k8s.aws/instance-category"] == "g"
    assert known["karpenter.k8s.aws/instance-generation"] == "6"
    assert known["karpenter.k8s.aws/instance-family"] == "g6e"
    assert known["karpenter.k8s.aws/instance-size"] == "2xlarge"
    assert known["karpenter.k8s.aws/instance-gpu-count"] == "1"
    assert "karpenter.k8s.aws/instance-accelerator-count" not in json.dumps(TYPES["g6e.2xlarge"])

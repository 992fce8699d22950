from typing import Any

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.releases_file import InvalidReleases
from tests.charts.own_charts import ON_AWS, of_kind, rendered, sample_outputs


def requirements(pool: Any) -> dict[str, list[str]]:
    return {each["key"]: each["values"] for each in pool["spec"]["template"]["spec"]["requirements"]}


@pytest.mark.parametrize("environment", ON_AWS)
def test_every_pool_of_the_file_is_a_pool_of_the_cluster(environment: EnvironmentName) -> None:
    settings = load_environment(environment)
    assert settings.capacity is not None
    assert settings.network is not None
    pools = of_kind(rendered("capacity", environment), "NodePool")

    assert pools.keys() == settings.capacity.pools.keys()
    for name, wanted in settings.capacity.pools.items():
        found = requirements(pools[name])
        assert found["topology.kubernetes.io/zone"] == sorted(settings.network.zones)
        assert found["kubernetes.io/arch"] == ["arm64" if wanted.kind == "graviton" else "amd64"]
        assert found["karpenter.k8s.aws/instance-family"] == list(wanted.instance_families)
        assert found["karpenter.sh/capacity-type"] == list(wanted.capacity_types)
        assert pools[name]["spec"]["limits"]["cpu"] == str(wanted.limits.vcpu)


def test_accelerated_nodes_refuse_pods_that_need_none() -> None:
    pools = of_kind(rendered("capacity", EnvironmentName.PROD), "NodePool")
    taints = {name: pool["spec"]["template"]["spec"].get("taints") for name, pool in pools.items()}

    assert taints == {
        "graviton": None,
        "graviton-previous": None,
        "gpu": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
        "neuron": [{"key": "aws.amazon.com/neuron", "effect": "NoSchedule"}],
    }
    assert pools["gpu"]["spec"]["limits"]["nvidia.com/gpu"] == "16"
    assert pools["graviton"]["spec"]["weight"] > pools["graviton-previous"]["spec"]["weight"]
    assert requirements(pools["graviton"])["karpenter.k8s.aws/instance-cpu"] == ["17"]


def test_nodes_in_use_are_left_alone_in_quiet_hours_and_empty_ones_go_at_any_time() -> None:
    budgets = of_kind(rendered("capacity", EnvironmentName.PROD), "NodePool")["gpu"]["spec"]["disruption"]["budgets"]
    in_use = ["Underutilized", "Drifted"]

    assert budgets == [
        {"nodes": "100%", "reasons": ["Empty"]},
        {"nodes": "10%", "reasons": in_use},
        {"nodes": "0", "reasons": in_use, "schedule": "0 8 * * mon-fri", "duration": "10h"},
    ]


@pytest.mark.parametrize("environment", ON_AWS)
def test_nodes_start_from_a_pinned_image_encrypted_and_keep_their_credentials(environment: EnvironmentName) -> None:
    outputs = sample_outputs(environment)
    manifests = rendered("capacity", environment)
    classes = of_kind(manifests, "EC2NodeClass")

    assert classes.keys() == of_kind(manifests, "NodePool").keys()
    for name, node_class in classes.items():
        spec = node_class["spec"]
        system = "bottlerocket@v" if name.startswith("graviton") else "al2023@v"
        assert spec["amiSelectorTerms"][0]["alias"].startswith(system)
        assert all(
            disk["ebs"]["encrypted"] and disk["ebs"]["volumeType"] == "gp3" for disk in spec["blockDeviceMappings"]
        )
        assert (spec["metadataOptions"]["httpTokens"], spec["metadataOptions"]["httpPutResponseHopLimit"]) == (
            "required",
            1,
        )
        assert spec["instanceProfile"] == outputs["cluster"]["karpenter"]["instance_profile_name"]
        assert spec["securityGroupSelectorTerms"] == [{"id": outputs["cluster"]["security_group_id"]}]
        private = outputs["network"]["subnet_ids"]["private"].values()
        assert [term["id"] for term in spec["subnetSelectorTerms"]] == sorted(private)
        assert spec["tags"] == {"Project": "agentic-eks", "Environment": environment.value}


def test_volumes_are_encrypted_where_nobody_says_otherwise() -> None:
    storage_class = of_kind(rendered("capacity", EnvironmentName.DEV), "StorageClass")["gp3"]

    assert storage_class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert storage_class["parameters"]["encrypted"] == "true"
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"zones": ["us-east-1a"]}, "zones: minItems"),
        ({"nodes": {"securityGroup": "default"}}, "nodes.securityGroup: 'default' does not match pattern"),
        ({"nodes": {"role": "node"}}, "additional properties 'role' not allowed"),
        ({"pools": {"gpu": {"image": "al2023@latest"}}}, "pools.gpu.image"),
        ({"pools": {"gpu": {"kind": "tpu"}}}, "pools.gpu.kind"),
        ({"pools": {"gpu": {"taint": None}}}, "pools.gpu"),
        ({"pools": {"graviton": {"taint": "nvidia.com/gpu"}}}, "pools.graviton"),
    ],
)
def test_values_that_karpenter_would_stumble_over_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidReleases) as caught:
        rendered("capacity", EnvironmentName.DEV, changes)
    assert reason in str(caught.value)

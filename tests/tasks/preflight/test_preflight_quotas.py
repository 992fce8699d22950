"""Whether an account's quotas have room for what an environment asks for; the quotas are scripted."""

from pathlib import Path

import boto3
import pytest

from tasks.environment import Environment
from tasks.preflight.demand import Demand
from tests.scripted_aws import Parameters, ScriptedAws
from tests.tasks.preflight.conftest import CHAT_MODEL, CHAT_NODES, changed_dev, found


def quota(code: str, value: float, others: float = 64.0):
    def answer(asked: Parameters) -> dict[str, object]:
        return {"Quota": {"Value": value if asked["QuotaCode"] == code else others}}

    return answer


@pytest.mark.parametrize(
    ("code", "allowed", "check", "needed"),
    [
        ("L-DB2E81BA", 0.0, "vCPU of GPU nodes", 4),
        ("L-1216C47A", 8.0, "vCPU of standard nodes", 14),
        ("L-0263D0A3", 0.0, "elastic addresses", 1),
        ("L-F678F1CE", 1.0, "VPCs", 2),
    ],
)
def test_a_quota_without_room_blocks_and_says_how_to_raise_it(
    scripted: ScriptedAws, dev: Environment, code: str, allowed: float, check: str, needed: int
) -> None:
    scripted.script("service-quotas", "GetServiceQuota", quota(code, allowed))

    finding = found(dev)[check]

    assert finding.severity == "blocked"
    assert f"{allowed:.0f} allowed" in finding.found
    assert f"--quota-code {code} --desired-value {needed}" in finding.remedy


def test_dearer_nodes_serve_where_the_quota_of_the_cheapest_has_no_room(
    scripted: ScriptedAws, dev: Environment
) -> None:
    assert "Trn instances: 64 allowed, 0 used by others, at least 8 needed" in found(dev)["vCPU of Neuron nodes"].found

    scripted.script("service-quotas", "GetServiceQuota", quota("L-2C3B7624", 0.0))
    inferentia = found(dev)["vCPU of Neuron nodes"]
    assert inferentia.severity == "ok"
    # inf2.xlarge has too few processors for the model: the next size has 32.
    assert inferentia.found.endswith("Inf instances: 64 allowed, 0 used by others, at least 32 needed")

    scripted.script("service-quotas", "GetServiceQuota", {"Quota": {"Value": 0.0}})
    neither = found(dev)["vCPU of Neuron nodes"]
    assert neither.severity == "blocked"
    assert "--quota-code L-2C3B7624 --desired-value 8" in neither.remedy


@pytest.mark.parametrize(
    ("changes", "code", "needed"),
    [
        ([('capacity_types    = ["spot", "on-demand"]', 'capacity_types    = ["spot"]')], "L-3819A6DF", 4),
        (
            [('["g6", "g5", "g6e"]', '["p5"]'), ("vcpu = 32, memory_gib = 128", "vcpu = 32, memory_gib = 256")],
            "L-417A185B",
            16,
        ),
        ([("cpus = 3, memory_gib = 12", "cpus = 3, memory_gib = 20")], "L-DB2E81BA", 4),
        ([("cpus = 3, memory_gib = 12", "cpus = 3, memory_gib = 40")], "L-DB2E81BA", 8),
        ([("cpus = 3, memory_gib = 12", "cpus = 9, memory_gib = 12")], "L-DB2E81BA", 16),
        ([("replicas       = 1", "replicas       = 3")], "L-DB2E81BA", 12),
    ],
    ids=["Spot only", "another family", "more memory", "much memory", "more processors", "more replicas"],
)
def test_the_quota_follows_from_the_pools_and_from_what_a_replica_takes(
    scripted: ScriptedAws, tmp_path: Path, changes: list[tuple[str, str]], code: str, needed: int
) -> None:
    nodes, model = CHAT_NODES, CHAT_MODEL
    for old, new in changes:
        assert old in nodes + model, old
        nodes, model = nodes.replace(old, new), model.replace(old, new)
    scripted.script("service-quotas", "GetServiceQuota", quota(code, 0.0))

    finding = found(changed_dev(tmp_path, (CHAT_NODES, nodes), (CHAT_MODEL, model)))["vCPU of GPU nodes"]

    assert finding.severity == "blocked"
    assert f"--quota-code {code} --desired-value {needed}" in finding.remedy


def test_replicas_share_nodes_with_several_accelerators(tmp_path: Path) -> None:
    dev = changed_dev(
        tmp_path,
        ("vcpu = 32, memory_gib = 128, accelerators = 4", "vcpu = 96, memory_gib = 384, accelerators = 8"),
        (CHAT_MODEL, CHAT_MODEL.replace("replicas       = 1", "replicas       = 5")),
    )

    (chat,) = Demand.of(dev).served("gpu")

    nodes_of = {launch.instance.name: chat.vcpu(launch.instance) for launch in chat.launches}
    assert nodes_of["g6.xlarge"] == 5 * 4
    assert nodes_of["g6.12xlarge"] == 2 * 48, "four GPUs each"
    assert "g6.48xlarge" not in nodes_of, "more than the pool's limits"


def test_a_quota_that_nobody_changed_has_the_default(scripted: ScriptedAws, dev: Environment) -> None:
    scripted.refuse("service-quotas", "GetServiceQuota", "NoSuchResourceException")
    scripted.script("service-quotas", "GetAWSDefaultServiceQuota", {"Quota": {"Value": 5.0}})

    findings = found(dev)

    assert findings["elastic addresses"].severity == "ok"
    assert findings["vCPU of standard nodes"].severity == "blocked"


def test_what_others_use_counts_and_what_the_environment_has_does_not(scripted: ScriptedAws, dev: Environment) -> None:
    ec2 = boto3.client("ec2")
    before = found(dev)["elastic addresses"].found
    ours, theirs = ec2.allocate_address(), ec2.allocate_address()
    own = {"Project": "agentic-eks", "Environment": "dev"}
    ec2.create_tags(Resources=[ours["AllocationId"]], Tags=[{"Key": key, "Value": value} for key, value in own.items()])
    try:
        after = found(dev)["elastic addresses"].found
    finally:
        for address in (ours, theirs):
            ec2.release_address(AllocationId=address["AllocationId"])

    assert "0 used by others" in before
    assert "1 used by others" in after


def test_an_instance_of_others_takes_from_the_quota_of_its_family(scripted: ScriptedAws, dev: Environment) -> None:
    ec2 = boto3.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0].get("ImageId", "")
    instance = ec2.run_instances(ImageId=image, InstanceType="g5.xlarge", MinCount=1, MaxCount=1)["Instances"][0]
    try:
        findings = found(dev)
    finally:
        ec2.terminate_instances(InstanceIds=[instance.get("InstanceId", "")])

    assert ", 0 used by others" not in findings["vCPU of GPU nodes"].found
    assert ", 0 used by others" in findings["vCPU of standard nodes"].found

"""Whether AWS offers the instance types, zones and versions of an environment; EKS's offers are scripted."""

from pathlib import Path

import pytest

from tasks.environment import Environment
from tests.scripted_aws import Parameters, ScriptedAws
from tests.tasks.preflight.conftest import CHAT_MODEL, CHAT_NODES, CHAT_TYPES, changed_dev, found, offered_addons


def test_a_type_that_a_zone_does_not_offer_is_told_with_the_zone(scripted: ScriptedAws, tmp_path: Path) -> None:
    settings = changed_dev(tmp_path, ("us-east-1b", "us-east-1e"))

    findings = found(settings)

    assert findings[CHAT_TYPES].severity == "warning"
    assert "us-east-1e: none" in findings[CHAT_TYPES].found
    assert findings["availability zones"].severity == "blocked", "EKS has no control plane in use1-az3"
    assert "use1-az3" in findings["availability zones"].found


def test_a_type_that_no_zone_offers_blocks(scripted: ScriptedAws, tmp_path: Path) -> None:
    settings = changed_dev(tmp_path, ('["m7g.large", "m6g.large"]', '["m99g.large"]'))

    findings = found(settings)

    assert findings["types of system nodes"].severity == "blocked"
    assert "system_nodes.instance_types" in findings["types of system nodes"].remedy
    assert findings["vCPU of standard nodes"].severity == "warning"


def test_a_zone_that_the_account_does_not_have_blocks(scripted: ScriptedAws, tmp_path: Path) -> None:
    finding = found(changed_dev(tmp_path, ("us-east-1b", "us-east-1z")))["availability zones"]

    assert finding.severity == "blocked"
    assert finding.found == "us-east-1z is not a zone of the account"
    assert "us-east-1a" in finding.remedy


def test_models_without_replicas_need_no_accelerators(scripted: ScriptedAws, tmp_path: Path) -> None:
    settings = changed_dev(
        tmp_path, ("context_tokens = 16384\n      replicas       = 1", "context_tokens = 16384\n      replicas = 0")
    )

    assert not {CHAT_TYPES, "vCPU of GPU nodes", "vCPU of Neuron nodes"} & found(settings).keys()


def test_the_types_asked_for_are_those_that_hold_a_replica(scripted: ScriptedAws, tmp_path: Path) -> None:
    families = CHAT_NODES.replace('["g6", "g5", "g6e"]', '["g5"]')
    model = CHAT_MODEL.replace("accelerators = 1, cpus = 3", "accelerators = 4, cpus = 3")
    limits = families.replace("vcpu = 32, memory_gib = 128", "vcpu = 64, memory_gib = 256")

    finding = found(changed_dev(tmp_path, (CHAT_NODES, limits), (CHAT_MODEL, model)))[CHAT_TYPES]

    assert finding.severity == "ok"
    assert finding.found.startswith("of g5.12xlarge: us-east-1a: g5.12xlarge; ")


def test_an_add_on_version_that_is_not_offered_blocks(scripted: ScriptedAws, dev: Environment) -> None:
    offered = {"addons": [{"addonVersions": [{"addonVersion": "v9.9.9-eksbuild.1", "architecture": ["arm64"]}]}]}
    scripted.script("eks", "DescribeAddonVersions", offered)

    finding = found(dev)["add-on coredns"]

    assert finding.severity == "blocked"
    assert "'v1.13.2-eksbuild.31' is not offered for Kubernetes 1.35" in finding.found
    assert "v9.9.9-eksbuild.1" in finding.remedy


def test_an_older_listed_add_on_version_that_went_away_is_a_warning(scripted: ScriptedAws, dev: Environment) -> None:
    def without_the_old(asked: Parameters) -> dict[str, object]:
        answer = offered_addons(asked)
        addons: list[dict[str, list[object]]] = answer["addons"]  # pyright: ignore[reportAssignmentType]
        addons[0]["addonVersions"] = addons[0]["addonVersions"][:1]
        return answer

    scripted.script("eks", "DescribeAddonVersions", without_the_old)

    finding = found(dev)["add-on coredns"]

    assert finding.severity == "warning"
    assert finding.remedy == "remove v1.13.2-eksbuild.21 from infra/addon-versions.json"


@pytest.mark.parametrize(
    ("versions", "severity"),
    [
        ([{"clusterVersion": "1.35", "versionStatus": "EXTENDED_SUPPORT"}], "warning"),
        ([{"clusterVersion": "1.35", "versionStatus": "UNSUPPORTED"}], "blocked"),
        ([], "blocked"),
    ],
)
def test_a_kubernetes_version_past_standard_support(
    scripted: ScriptedAws, dev: Environment, versions: list[dict[str, str]], severity: str
) -> None:
    scripted.script("eks", "DescribeClusterVersions", {"clusterVersions": versions})

    assert found(dev)["Kubernetes version"].severity == severity

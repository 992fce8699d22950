"""Preflight against the emulated account; quotas, EKS's offers and Bedrock are scripted, as no emulator has them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.session import Session

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment, EnvironmentName
from tasks.environment.edge import Domain
from tasks.preflight import NotReady, PreflightFinding, findings_page, preflight, require_ready
from tasks.preflight.aws import AwsReader
from tasks.preflight.demand import Demand
from tasks.preflight.prerequisites import check_hosted_zone
from tests.aws_faults import aws_with_faults
from tests.scripted_aws import Parameters, ScriptedAws
from tests.tasks.preflight.conftest import GRANTED, changed_dev, offered_addons

CHAT_TYPES = "instance types of qwen2-5-7b-instruct"
CHAT_NODES = """kind              = "gpu"
      instance_families = ["g6", "g5", "g6e"]
      capacity_types    = ["spot", "on-demand"]
      limits            = { vcpu = 32, memory_gib = 128, accelerators = 4 }"""

CHAT_MODEL = """qwen2-5-7b-instruct = {
      runs_on        = "gpu"
      context_tokens = 16384
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct"
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 3, memory_gib = 12 }"""


def found(settings: Environment) -> dict[str, PreflightFinding]:
    return {finding.check: finding for finding in preflight.fn(settings)}


def quota(code: str, value: float, others: float = 64.0):
    def answer(asked: Parameters) -> dict[str, object]:
        return {"Quota": {"Value": value if asked["QuotaCode"] == code else others}}

    return answer


def test_an_account_that_has_everything_is_ready(scripted: ScriptedAws, dev: Environment) -> None:
    findings = preflight.fn(dev)

    require_ready(findings)
    doubtful = {finding.check: finding.found for finding in findings if finding.severity != "ok"}
    assert doubtful.keys() == {"service-linked role of EC2 Spot"}
    assert {"account", "credentials", "VPCs", CHAT_TYPES, "add-on vpc-cni"} <= {finding.check for finding in findings}


def test_what_the_emulators_cannot_answer_is_not_proved_and_blocks_nothing(
    aws_environment: EmulatedAws, dev: Environment
) -> None:
    findings = found(dev)

    require_ready(list(findings.values()))
    for check in ("vCPU of GPU nodes", "Kubernetes version", "add-on coredns", "Bedrock model nova-pro"):
        assert findings[check].severity == "warning"
        assert findings[check].found.startswith("not proved: ")
        assert "<" not in findings[check].found, "an error page of HTML is no text for a person"
        assert "`aws " in findings[check].remedy


def test_preflight_changes_nothing(scripted: ScriptedAws, dev: Environment) -> None:
    preflight.fn(dev)

    assert {operation for _, operation, _ in scripted.calls} == {
        "GetServiceQuota",
        "DescribeClusterVersions",
        "DescribeAddonVersions",
        "GetInferenceProfile",
        "GetFoundationModelAvailability",
    }


def test_another_account_is_refused_with_both_quoted_and_asked_nothing_else(
    scripted: ScriptedAws, tmp_path: Path
) -> None:
    findings = preflight.fn(changed_dev(tmp_path, ("111122223333", "999988887777")))

    with pytest.raises(NotReady, match=r"account '111122223333', but environment.account_id = '999988887777'"):
        require_ready(findings)
    assert [finding.check for finding in findings] == ["credentials", "account"]
    assert scripted.calls == []


def test_without_credentials_nothing_is_asked(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    (finding,) = preflight.fn(dev)

    assert (finding.check, finding.severity, finding.found) == ("credentials", "blocked", "there are none")
    assert "aws sso login" in finding.remedy


@pytest.mark.parametrize(
    ("minutes", "severity", "text"),
    [(10, "blocked", "less than 15 minutes"), (40, "warning", "less than an hour"), (120, "ok", "longer than an hour")],
)
def test_credentials_must_outlive_an_apply(
    scripted: ScriptedAws,
    dev: Environment,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    severity: str,
    text: str,
) -> None:
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", expires.strftime("%Y-%m-%dT%H:%M:%SZ"))

    finding = found(dev)["credentials"]

    assert (finding.severity, text in finding.found) == (severity, True), finding


def test_temporary_keys_that_do_not_say_when_they_expire_are_not_proved(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")

    finding = found(dev)["credentials"]

    assert finding.severity == "warning"
    assert "not proved" in finding.found


def test_credentials_that_aws_refuses_stop_the_run(
    aws_environment: EmulatedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = {"service": "sts", "error": {"code": "ExpiredToken", "message": "it is over", "status": 403}}
    with aws_with_faults(aws_environment, [expired]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        findings = preflight.fn(dev)

    with pytest.raises(NotReady, match=r"account: .*'111122223333' is not proved: ExpiredToken: it is over"):
        require_ready(findings)


def test_a_call_that_is_denied_is_not_proved_and_names_the_permission(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.refuse("service-quotas", "GetServiceQuota", "AccessDeniedException")
    denied = {"code": "UnauthorizedOperation", "status": 403}
    rules = [{"service": "ec2", "operation": "DescribeInstanceTypeOfferings", "error": denied}]
    with aws_with_faults(EmulatedAws(os.environ["AWS_ENDPOINT_URL"], "111122223333", "us-east-1"), rules) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        findings = found(dev)

    assert findings["VPCs"].severity == findings[CHAT_TYPES].severity == "warning"
    assert "allow servicequotas:GetServiceQuota" in findings["VPCs"].remedy
    assert "allow ec2:DescribeInstanceTypeOfferings" in findings[CHAT_TYPES].remedy
    assert findings["availability zones"].severity == "ok"


def test_a_service_that_cannot_be_reached_is_not_proved(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", "http://127.0.0.1:9")

    finding = found(dev)["Bedrock model nova-pro"]

    assert finding.severity == "warning"
    assert finding.remedy == "let the flow reach http://127.0.0.1:9"


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
    assert finding.found == "us-east-1z is no zone of the account"
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


def test_a_model_that_may_not_be_called_blocks(scripted: ScriptedAws, dev: Environment) -> None:
    refused = {**GRANTED, "agreementAvailability": {"status": "NOT_AVAILABLE"}, "regionAvailability": "NOT_AVAILABLE"}
    scripted.script("bedrock", "GetFoundationModelAvailability", refused)

    finding = found(dev)["Bedrock model nova-pro"]

    assert finding.severity == "blocked"
    assert finding.found == "'us.amazon.nova-pro-v1:0' lacks agreement"
    assert scripted.calls_of("GetFoundationModelAvailability")[0]["modelId"] == "amazon.nova-pro-v1:0"


def test_a_model_that_does_not_exist_blocks(scripted: ScriptedAws, dev: Environment) -> None:
    scripted.refuse("bedrock", "GetInferenceProfile", "ResourceNotFoundException")

    assert "does not exist in us-east-1" in found(dev)["Bedrock model nova-pro"].found


def test_a_role_that_nothing_makes_blocks(scripted: ScriptedAws, dev: Environment) -> None:
    iam = boto3.client("iam")
    path = "/aws-service-role/opensearchservice.amazonaws.com/"
    for role in iam.list_roles(PathPrefix=path)["Roles"]:
        iam.delete_role(RoleName=role["RoleName"])
    try:
        finding = found(dev)["service-linked role of OpenSearch"]
    finally:
        iam.create_service_linked_role(AWSServiceName="opensearchservice.amazonaws.com")

    assert finding.severity == "blocked"
    expected = "`aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com`"
    assert finding.remedy == expected


def test_the_zone_of_a_domain(aws_environment: EmulatedAws) -> None:
    zone = boto3.client("route53").create_hosted_zone(Name="example.com", CallerReference=str(datetime.now(UTC)))
    identifier = zone["HostedZone"]["Id"].rpartition("/")[2]

    aws = AwsReader(Session(), "us-east-1")

    def check(name: str, zone_id: str) -> PreflightFinding:
        return check_hosted_zone(aws, Domain(name=name), zone_id)

    assert check("assistant.example.com", identifier).severity == "ok"
    other = check("assistant.example.org", identifier)
    assert other.found == f"{identifier!r} is of 'example.com', not of 'assistant.example.org'"
    assert check("assistant.example.com", "Z00000000000000").severity == "blocked"


def test_the_credentials_of_a_registry(scripted: ScriptedAws, tmp_path: Path) -> None:
    cache = 'quay       = { registry = "quay.io" }'
    github = f'{cache}\n      github = {{ registry = "ghcr.io", credentials_secret = "ecr-pullthroughcache/github" }}'
    settings = changed_dev(tmp_path, (cache, github))
    secrets = boto3.client("secretsmanager")

    missing = found(settings)["credentials of ghcr.io"]
    secrets.create_secret(Name="ecr-pullthroughcache/github")
    empty = found(settings)["credentials of ghcr.io"]
    secrets.put_secret_value(SecretId="ecr-pullthroughcache/github", SecretString="{}")
    supplied = found(settings)["credentials of ghcr.io"]
    secrets.delete_secret(SecretId="ecr-pullthroughcache/github", ForceDeleteWithoutRecovery=True)

    assert "create-secret --name ecr-pullthroughcache/github" in missing.remedy
    assert "put-secret-value --secret-id ecr-pullthroughcache/github" in empty.remedy
    assert [missing.severity, empty.severity, supplied.severity] == ["blocked", "blocked", "ok"]


def test_grafana_wants_identity_center(scripted: ScriptedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = "11111111-2222-3333-4444-555555555555"
    grafana = f'grafana = {{ version = "10.4", allowed_cidrs = ["203.0.113.0/24"], admins = ["{group}"] }}'
    settings = changed_dev(tmp_path, ("observability = {\n", f"observability = {{\n  {grafana}\n"))
    for name, value in scripted.environment("sso-admin").items():
        monkeypatch.setenv(name, value)

    scripted.script("sso-admin", "ListInstances", {"Instances": []})
    assert found(settings)["Identity Center"].severity == "warning"
    instance = {"InstanceArn": "arn:aws:sso:::instance/ssoins-1", "Status": "ACTIVE"}
    scripted.script("sso-admin", "ListInstances", {"Instances": [instance]})
    assert found(settings)["Identity Center"].severity == "ok"


def test_every_blocking_finding_is_named_with_its_remedy() -> None:
    findings = [
        PreflightFinding("VPCs", "blocked", "5 allowed, 5 used", "ask for more"),
        PreflightFinding("account", "ok", "yours"),
        PreflightFinding("zones", "blocked", "none", "choose others"),
    ]

    with pytest.raises(NotReady, match=r"2 of 3 .*\n- VPCs: 5 allowed, 5 used; ask for more\n- zones: none; choose"):
        require_ready(findings)
    page = findings_page(EnvironmentName.DEV, findings)
    assert page.startswith("# Preflight of dev: 2 blocked, 0 warning, 1 ok\n")
    assert "- **VPCs**: 5 allowed, 5 used\n  - what to do: ask for more\n" in page
    assert page.index("**VPCs**") < page.index("**zones**") < page.index("**account**")

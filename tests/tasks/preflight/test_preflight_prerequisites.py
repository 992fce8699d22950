"""What a person makes before an environment: grants of models, roles, domains, credentials; Bedrock is scripted."""

from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.session import Session

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment
from tasks.environment.edge import Domain
from tasks.preflight import PreflightFinding
from tasks.preflight.aws import AwsReader
from tasks.preflight.prerequisites import check_hosted_zone
from tests.scripted_aws import ScriptedAws
from tests.tasks.preflight.conftest import GRANTED, changed_dev, found


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

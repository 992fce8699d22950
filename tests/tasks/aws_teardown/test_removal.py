"""What is emptied and swept up, asked of an emulated account; the names say what is scripted."""

import json

import boto3
import pytest

from tasks.aws_teardown.buckets import empty_bucket
from tasks.aws_teardown.data_stores import (
    NotDeleted,
    delete_secrets,
    empty_backup_vault,
    empty_image_repository,
    lift_protection,
)
from tasks.aws_teardown.doomed import Doomed
from tasks.aws_teardown.names import belongs
from tasks.aws_teardown.sweep import sweep_up
from tasks.environment import Environment
from tasks.restore_drill.rds_restoring import remove_server
from tests.scripted_aws import AwsError, Parameters, ScriptedAws

BUCKET = "agentic-eks-dev-knowledge-111122223333"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("agentic-eks-dev", True),
        ("agentic-eks-dev-postgres", True),
        ("agentic-eks-dev_4067990795380418201", True),
        ("agentic-eks-dev/agents", True),
        ("alias/agentic-eks-dev-data", True),
        ("/aws/eks/agentic-eks-dev/cluster", True),
        ("aws-waf-logs-agentic-eks-dev", True),
        ("agentic-eks-development", False),
        ("agentic-eks-prod-postgres", False),
        ("agentic-eks-state-111122223333-us-east-1", False),
        ("their-agentic-eks-dev", False),
    ],
)
def test_only_names_of_the_environment_are_its_own(settings: Environment, name: str, ours: bool) -> None:
    assert belongs(settings, name) is ours


def test_a_bucket_is_emptied_of_versions_markers_and_uploads(settings: Environment) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for number in range(1010):
        s3.put_object(Bucket=BUCKET, Key=f"document-{number % 7}", Body=b"text")
    s3.delete_object(Bucket=BUCKET, Key="document-1")
    s3.create_multipart_upload(Bucket=BUCKET, Key="unfinished")

    assert empty_bucket.fn(settings, BUCKET) == 1011
    assert empty_bucket.fn(settings, BUCKET) == 0
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    statement = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [(each["Effect"], each["Action"]) for each in statement] == [("Deny", "s3:PutObject")]
    s3.delete_bucket(Bucket=BUCKET)
    assert empty_bucket.fn(settings, BUCKET) == 0


def test_a_repository_is_emptied_of_images_whatever_their_tags(settings: Environment) -> None:
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="agentic-eks-dev/agents")
    for tag in ("v1", "v2"):
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "name": tag}
        ecr.put_image(repositoryName="agentic-eks-dev/agents", imageManifest=json.dumps(manifest), imageTag=tag)

    assert empty_image_repository.fn(settings, "agentic-eks-dev/agents") > 0
    assert ecr.list_images(repositoryName="agentic-eks-dev/agents")["imageIds"] == []
    assert empty_image_repository.fn(settings, "agentic-eks-dev/gone") == 0


def test_secrets_go_at_once_also_those_that_wait_for_their_deletion(settings: Environment) -> None:
    secrets = boto3.client("secretsmanager")
    for name in ("agentic-eks-dev/a", "agentic-eks-dev/b", "agentic-eks-prod/a"):
        secrets.create_secret(Name=name, SecretString="value")
    secrets.delete_secret(SecretId="agentic-eks-dev/b", RecoveryWindowInDays=30)

    assert delete_secrets.fn(settings) == ["secret agentic-eks-dev/a", "secret agentic-eks-dev/b"]
    left = secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [secret.get("Name") for secret in left] == ["agentic-eks-prod/a"]
    assert delete_secrets.fn(settings) == []


def make_database(name: str, *, guarded: bool = True) -> None:
    boto3.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="of-a-test-only",
        DeletionProtection=guarded,
    )


def test_what_a_restore_drill_left_goes_and_what_serves_does_not(settings: Environment) -> None:
    for name in ("agentic-eks-dev-agents", "agentic-eks-dev-agents-drill"):
        make_database(name, guarded=False)

    for _ in range(2):
        remove_server.fn(settings, "agentic-eks-dev-agents")
    left = boto3.client("rds").describe_db_instances()["DBInstances"]
    assert [found.get("DBInstanceIdentifier") for found in left] == ["agentic-eks-dev-agents"]


def test_protection_is_lifted_where_it_is_known_how(settings: Environment) -> None:
    make_database("agentic-eks-dev-litellm")
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="agentic-eks-dev", DeletionProtection="ACTIVE")["UserPool"]["Id"]

    lift_protection.fn(settings, Doomed("a", "aws_db_instance", "agentic-eks-dev-litellm", "db-1", guarded=True))
    lift_protection.fn(settings, Doomed("b", "aws_cognito_user_pool", "agentic-eks-dev", pool, guarded=True))

    assert not boto3.client("rds").describe_db_instances()["DBInstances"][0].get("DeletionProtection")
    assert cognito.describe_user_pool(UserPoolId=pool)["UserPool"]["DeletionProtection"] == "INACTIVE"
    with pytest.raises(NotDeleted, match=r"module\.x\.aws_lb\.this has deletion_protection"):
        lift_protection.fn(settings, Doomed("module.x.aws_lb.this", "aws_lb", "lb", "lb", guarded=True))


def test_log_groups_and_last_snapshots_are_swept_up(settings: Environment) -> None:
    logs, rds = boto3.client("logs"), boto3.client("rds")
    for name in ("/aws/eks/agentic-eks-dev/cluster", "/agentic-eks-dev/pods/ray", "/aws/eks/agentic-eks-prod/cluster"):
        logs.create_log_group(logGroupName=name)
    for environment in ("dev", "prod"):
        make_database(f"agentic-eks-{environment}-litellm")
        rds.create_db_snapshot(
            DBInstanceIdentifier=f"agentic-eks-{environment}-litellm",
            DBSnapshotIdentifier=f"agentic-eks-{environment}-litellm-last",
        )

    assert sorted(sweep_up.fn(settings)) == [
        "database snapshot agentic-eks-dev-litellm-last",
        "log group /agentic-eks-dev/pods/ray",
        "log group /aws/eks/agentic-eks-dev/cluster",
    ]
    assert sweep_up.fn(settings) == []
    left = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert left == ["/aws/eks/agentic-eks-prod/cluster"]


def test_cached_repositories_are_found_by_scripted_tags_and_swept_up(
    settings: Environment, scripted: ScriptedAws
) -> None:
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="quay/prometheus/node-exporter")
    # The second was deleted by Terraform a moment ago.
    names = ("quay/prometheus/node-exporter", "agentic-eks-dev/agents")
    arns = [f"arn:aws:ecr:us-east-1:111122223333:repository/{name}" for name in names]
    tagged = [{"ResourceARN": arn, "Tags": []} for arn in arns]
    scripted.script("tagging", "GetResources", {"ResourceTagMappingList": tagged})

    assert sweep_up.fn(settings) == ["image repository quay/prometheus/node-exporter"]
    assert ecr.describe_repositories()["repositories"] == []


def test_a_scripted_vault_is_emptied_and_waited_for(settings: Environment, scripted: ScriptedAws) -> None:
    points = {f"arn:aws:backup:us-east-1:111122223333:recovery-point:{number}" for number in range(3)}

    def listed(_: Parameters) -> dict[str, object]:
        return {"RecoveryPoints": [{"RecoveryPointArn": point} for point in sorted(points)]}

    def deleted(parameters: Parameters) -> dict[str, object]:
        points.remove(parameters["recoveryPointArn"])
        return {}

    scripted.script("backup", "ListRecoveryPointsByBackupVault", listed)
    scripted.script("backup", "DeleteRecoveryPoint", deleted)

    assert empty_backup_vault.fn(settings, "agentic-eks-dev") == 3
    assert points == set()


def test_a_scripted_vault_that_is_gone_is_empty(settings: Environment, scripted: ScriptedAws) -> None:
    def gone(_: Parameters) -> dict[str, object]:
        raise AwsError("ResourceNotFoundException")

    scripted.script("backup", "ListRecoveryPointsByBackupVault", gone)

    assert empty_backup_vault.fn(settings, "agentic-eks-dev") == 0

"""`drift/dev` with real Terraform: it finds what was done by hand, and changes nothing."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from tests.flows.conftest import RunPython
from tests.flows.upkeep.conftest import BUCKET, ROLE, STATE_BUCKET, Artifact, Flow, state_objects

pytestmark = [pytest.mark.prefect_server, pytest.mark.terraform]

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OURS = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"


def change_by_hand() -> None:
    iam, s3, kms = boto3.client("iam"), boto3.client("s3"), boto3.client("kms")
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)
    iam.tag_role(RoleName=ROLE, Tags=[{"Key": "Purpose", "Value": "mine"}])
    s3.delete_bucket_encryption(Bucket=BUCKET)
    kms.delete_alias(AliasName="alias/agentic-eks-dev-logs")


def test_each_kind_of_difference_is_found_and_nothing_is_changed(dev: Path, drift: Flow, artifact: Artifact) -> None:
    # A reader does not mind the lock of somebody else.
    lock = b'{"ID":"1","Operation":"OperationTypeApply","Who":"bob@desk","Created":"2026-01-01T00:00:00Z"}'
    boto3.client("s3").put_object(Bucket=STATE_BUCKET, Key="dev/terraform.tfstate.tflock", Body=lock)
    before = state_objects()
    clean = drift()
    assert clean.returncode == 0, clean.stderr
    assert "no differences" in clean.stdout + clean.stderr

    with wanting_another_tag(dev):
        found = drift()
    assert found.returncode == 1
    assert "tags.Purpose: wanted 'archive', found 'backup' (not applied yet)" in found.stderr
    assert "by hand" not in artifact("dev-drift-comparison")

    change_by_hand()
    found = drift()
    assert found.returncode == 1
    assert "DriftFound" in found.stderr
    assert "provision/dev makes it again" in found.stderr
    table = artifact("dev-drift-comparison")
    for expected in (
        '"address": "aws_iam_role.backup", "what": "managed_policy_arns", "wanted": "absent", '
        f'"found": "[\\"{ADMINISTRATOR}\\"]", "cause": "changed by hand beside what Terraform manages"',
        '"what": "tags.Purpose", "wanted": "backup", "found": "mine", "cause": "changed by hand"',
        '"address": "module.encryption.aws_kms_alias.this[\\"logs\\"]", "what": "the resource", "wanted": "present", '
        '"found": "absent", "cause": "deleted by hand"',
        '"address": "aws_s3_bucket_server_side_encryption_configuration.knowledge"',
    ):
        assert expected in table

    assert state_objects() == before
    attached = boto3.client("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert {policy.get("PolicyArn") for policy in attached} == {OURS, ADMINISTRATOR}


@contextmanager
def wanting_another_tag(root: Path) -> Generator[None]:
    """The file wants another tag for the block than what was applied."""
    main = root / "main.tf"
    applied = main.read_text(encoding="utf-8")
    main.write_text(applied.replace('Purpose = "backup"', 'Purpose = "archive"'), encoding="utf-8")
    yield
    main.write_text(applied, encoding="utf-8")


def test_an_environment_without_a_state_is_named_and_gets_no_bucket(drift: Flow) -> None:
    found = drift()

    assert found.returncode == 1
    assert "'dev' was never provisioned (run provision/dev)" in found.stderr
    assert boto3.client("s3").list_buckets()["Buckets"] == []


def test_a_directory_of_documents_is_for_the_laptop(drift: Flow, tmp_path: Path) -> None:
    found = drift("--directory", str(tmp_path))

    assert found.returncode == 2
    assert "is for 'local' only, not for 'dev'" in found.stderr


def test_credentials_of_another_account_are_refused(aws: EmulatedAws, run_python: RunPython) -> None:
    found = run_python("-m", "flows.drift", "--environment", "prod")

    assert found.returncode == 1
    assert "environment.account_id of 'prod' is '444455556666'" in found.stderr

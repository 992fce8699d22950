"""What is made of the words with which Terraform and its AWS provider fail."""

from pathlib import Path

import pytest

from tasks.aws_session import MissingCredentials
from tasks.environment import EnvironmentName
from tasks.terraform.failures import AlreadyExists, StalePlan, TerraformFailed, failure
from tasks.terraform.root import TerraformRoot
from tasks.terraform.state_bucket import StateLocation

ROOT = TerraformRoot(
    Path("/nowhere/infra"),
    EnvironmentName.DEV,
    Path("/nowhere/infra/dev.tfvars"),
    StateLocation("bucket-of-states", "dev/terraform.tfstate", "us-east-1", "111122223333"),
)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (
            "creating IAM Role (agentic-eks-dev-ray): operation error IAM: CreateRole, https response error "
            "StatusCode: 409, EntityAlreadyExists: Role with name agentic-eks-dev-ray already exists. "
            '(module.identity[0].aws_iam_role.pod["ray"])',
            'module.identity[0].aws_iam_role.pod["ray"]',
        ),
        (
            "creating S3 Bucket (agentic-eks-dev-knowledge-111122223333): BucketAlreadyOwnedByYou "
            "(module.data[0].aws_s3_bucket.knowledge)",
            "module.data[0].aws_s3_bucket.knowledge",
        ),
        (
            "creating EKS Cluster (agentic-eks-dev): operation error EKS: CreateCluster, ResourceInUseException: "
            "Cluster already exists with name: agentic-eks-dev (module.cluster[0].aws_eks_cluster.this)",
            "module.cluster[0].aws_eks_cluster.this",
        ),
        (
            "creating Secrets Manager Secret (agentic-eks-dev/key): ResourceExistsException: The operation failed "
            'because the secret already exists. (module.data[0].aws_secretsmanager_secret.this["a"])',
            'module.data[0].aws_secretsmanager_secret.this["a"]',
        ),
    ],
)
def test_what_exists_already_is_named_with_the_commands_that_take_it_over(said: str, address: str) -> None:
    error = failure(ROOT, "apply", 1, ["another error", said])

    assert isinstance(error, AlreadyExists)
    text = str(error)
    assert f"AWS already has {address}, and the state does not know of it" in text
    assert "init -reconfigure -backend-config=bucket=bucket-of-states -backend-config=key=dev/terraform.tfstate" in text
    assert f"import -var-file=environments/dev.tfvars '{address}' <id>" in text
    assert "another error" in text


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"])
def test_refused_credentials_say_how_to_get_others(code: str) -> None:
    error = failure(ROOT, "apply", 1, [f"creating SQS Queue: api error {code}: the token (aws_sqs_queue.a)"])

    assert isinstance(error, MissingCredentials)
    assert "aws sso login" in str(error)
    assert "Then run it again" in str(error)


def test_a_stale_plan_is_told_from_other_failures() -> None:
    assert isinstance(failure(ROOT, "apply", 1, ["Saved plan is stale: the state changed"]), StalePlan)
    other = failure(ROOT, "plan", 1, ["Unsupported argument"])
    assert type(other) is TerraformFailed
    assert str(other) == "terraform plan of 'dev' ended with 1:\nUnsupported argument"

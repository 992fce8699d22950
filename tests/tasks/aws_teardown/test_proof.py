"""What the proof takes for left, and what for gone; the names say where the listing by tags is scripted."""

import boto3
import pytest

from tasks.aws_teardown.proof import Leftover, NotAllGone, Remains, look_for_leftovers, require_nothing_left
from tasks.environment import Environment
from tests.scripted_aws import Parameters, ScriptedAws

EC2 = "arn:aws:ec2:us-east-1:111122223333"
OURS = [{"TagKey": "Project", "TagValue": "agentic-eks"}, {"TagKey": "Environment", "TagValue": "dev"}]


def listing(*arns: str) -> dict[str, object]:
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": []} for arn in arns]}


def test_only_keys_that_wait_for_their_deletion_may_remain(settings: Environment) -> None:
    kms = boto3.client("kms")
    doomed, used = (kms.create_key(Tags=OURS)["KeyMetadata"] for _ in range(2))
    deletion = kms.schedule_key_deletion(KeyId=doomed["KeyId"], PendingWindowInDays=7)["DeletionDate"]

    remains = look_for_leftovers.fn(settings, [])

    assert [(key.arn, key.deleted_on.date()) for key in remains.keys] == [(doomed["Arn"], deletion.date())]
    assert [leftover.what for leftover in remains.leftovers] == [used["Arn"]]


def test_what_terraform_still_knows_is_left(settings: Environment) -> None:
    assert look_for_leftovers.fn(settings, ["aws_s3_bucket.this"]) == Remains(
        (Leftover("aws_s3_bucket.this", "Terraform's state", certain=True),), ()
    )


def test_names_without_tags_are_found(settings: Environment) -> None:
    boto3.client("iam").create_role(RoleName="agentic-eks-dev-forgotten", AssumeRolePolicyDocument="{}")
    boto3.client("iam").create_role(RoleName="agentic-eks-prod-forgotten", AssumeRolePolicyDocument="{}")
    boto3.client("logs").create_log_group(logGroupName="/agentic-eks-dev/pods/agents")

    found = [leftover.what for leftover in look_for_leftovers.fn(settings, []).leftovers]

    assert found == ["IAM role agentic-eks-dev-forgotten", "log group /agentic-eks-dev/pods/agents"]


def test_what_is_listed_by_scripted_tags_but_gone_in_ec2_is_gone(settings: Environment, scripted: ScriptedAws) -> None:
    ec2 = boto3.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0].get("SubnetId", "")
    gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"].get("NatGatewayId", "")
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    gone = ("volume/vol-0123456789abcdef0", f"natgateway/{gateway}")
    scripted.script("tagging", "GetResources", listing(*(f"{EC2}:{each}" for each in gone), f"{EC2}:volume/{volume}"))

    found = look_for_leftovers.fn(settings, []).leftovers

    assert found == (Leftover(f"{EC2}:volume/{volume}", "its tags", certain=True),)


def test_an_echo_in_scripted_tags_is_looked_at_again(settings: Environment, scripted: ScriptedAws) -> None:
    queue = "arn:aws:sqs:us-east-1:111122223333:agentic-eks-dev-interruptions"
    asked: list[Parameters] = []

    def answer(parameters: Parameters) -> dict[str, object]:
        asked.append(parameters)
        return listing(queue) if len(asked) == 1 else listing()

    scripted.script("tagging", "GetResources", answer)

    assert look_for_leftovers.fn(settings, []) == Remains((), ())
    tags = [parameters["TagFilters"] for parameters in asked]
    assert [{"Key": "Project", "Values": ["agentic-eks"]}, {"Key": "Environment", "Values": ["dev"]}] in tags
    assert [{"Key": "kubernetes.io/cluster/agentic-eks-dev"}] in tags


def test_everything_that_is_left_is_named(settings: Environment) -> None:
    remains = Remains((Leftover(f"{EC2}:volume/vol-1", "its tags", certain=True),), ())

    with pytest.raises(NotAllGone, match=r"(?s)'dev' is not gone, 1 left.*vol-1 \(found by its tags\)") as caught:
        require_nothing_left(settings, remains)
    assert "run teardown/dev again" in str(caught.value)

"""The emulated AWS: one address for all services, on loopback only, an account of its own, nothing left behind."""

import httpx
import psutil
import pytest

from rehearsal.aws import EmulatedAws, running_emulated_aws
from rehearsal.aws.call import read_call
from tests.rehearsal.aws.clients import client


def test_two_accounts_side_by_side_know_nothing_of_each_other() -> None:
    before = listeners()
    with (
        running_emulated_aws("111122223333", "us-east-1") as one,
        running_emulated_aws("444455556666", "eu-west-1") as two,
    ):
        assert client(one, "sts").get_caller_identity()["Account"] == "111122223333"
        assert client(two, "sts").get_caller_identity()["Account"] == "444455556666"
        client(one, "sqs").create_queue(QueueName="of-one")
        assert "QueueUrls" not in client(two, "sqs").list_queues()
        role = client(two, "iam").create_role(RoleName="cluster", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        subnet = a_subnet(two)
        cluster = client(two, "eks").create_cluster(name="x", roleArn=role, resourcesVpcConfig={"subnetIds": [subnet]})
        assert cluster["cluster"]["arn"] == "arn:aws:eks:eu-west-1:444455556666:cluster/x"
        listening = listeners() - before
        assert len(listening) >= 6
        assert {address for _, address in listening} == {"127.0.0.1"}
    assert listeners() == before


def listeners() -> set[tuple[int, str]]:
    """Process and address of everything that this process's children listen on."""
    children = psutil.Process().children(recursive=True)
    return {
        (child.pid, connection.laddr[0])
        for child in children
        for connection in child.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def a_subnet(aws: EmulatedAws) -> str:
    ec2 = client(aws, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]


def test_a_presigned_call_is_answered_as_if_it_were_signed_in_a_header(emulated_aws: EmulatedAws) -> None:
    url = client(emulated_aws, "sts").generate_presigned_url("get_caller_identity")
    assert f"<Account>{emulated_aws.account_id}</Account>" in httpx.get(url, timeout=60).text


@pytest.mark.parametrize("key", ["plain", "with space", "100%", "a/b+c", "ü"])
def test_objects_come_back_as_they_were_put(emulated_aws: EmulatedAws, key: str) -> None:
    s3 = client(emulated_aws, "s3")
    s3.create_bucket(Bucket="objects-come-back")
    content = bytes(range(256)) * 4096
    s3.put_object(Bucket="objects-come-back", Key=key, Body=content)
    assert s3.get_object(Bucket="objects-come-back", Key=key)["Body"].read() == content
    assert s3.head_object(Bucket="objects-come-back", Key=key)["ContentLength"] == len(content)


def test_an_unsigned_request_is_for_no_service() -> None:
    call = read_call("GET", "/bucket/key?a=b", {}, b"")
    assert (call.service, call.region, call.path, call.query) == ("", "", "/bucket/key", {"a": "b"})

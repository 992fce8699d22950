"""Tokens that the rehearsed cluster refuses, as EKS does."""

import base64
from collections.abc import Iterator

import pytest

from rehearsal.authenticator import Authenticator, NotAuthenticated
from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from tasks.kubernetes.eks_token import PREFIX, new_credential
from tests.rehearsal.aws.test_emulated_aws import a_subnet

CLUSTER = "authenticating"


@pytest.fixture
def authenticator(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authenticator]:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    eks = client_of(emulated_aws, "eks")
    place = {"subnetIds": [a_subnet(emulated_aws)]}
    eks.create_cluster(name=CLUSTER, roleArn="arn:aws:iam::111122223333:role/any", resourcesVpcConfig=place)
    yield Authenticator(emulated_aws, CLUSTER)
    eks.delete_cluster(name=CLUSTER)


def token_of(url: str) -> str:
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def own_token() -> str:
    return new_credential(CLUSTER, "us-east-1")["status"]["token"]


def own_request() -> str:
    encoded = own_token().removeprefix(PREFIX)
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def test_groups_are_those_of_the_access_entry(authenticator: Authenticator) -> None:
    eks = client_of(authenticator.aws, "eks")
    caller = client_of(authenticator.aws, "sts").get_caller_identity()["Arn"]
    with pytest.raises(NotAuthenticated, match="has no access to 'authenticating'"):
        authenticator.user_of(own_token())
    eks.create_access_entry(clusterName=CLUSTER, principalArn=caller, kubernetesGroups=["readers"])
    user = authenticator.user_of(own_token())
    assert (user.name, user.groups) == (caller, ("readers",))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("http://127.0.0.1", "http://elsewhere.example.com"), "no request to STS"),
        (("Action=GetCallerIdentity", "Action=GetSessionToken"), "asks 'GetSessionToken'"),
        (("x-k8s-aws-id", "x-other"), "names no cluster"),
        (("X-Amz-Expires=60", "X-Amz-Expires=86400"), "valid for '86400' seconds"),
    ],
)
def test_a_request_of_another_kind_is_never_sent(
    authenticator: Authenticator, change: tuple[str, str], why: str
) -> None:
    request = own_request()
    assert change[0] in request
    with pytest.raises(NotAuthenticated, match=why):
        authenticator.user_of(token_of(request.replace(*change)))


@pytest.mark.parametrize("token", ["any", f"{PREFIX}%%%", f"{PREFIX}gA", token_of("http://[")])
def test_what_is_no_token_is_refused(authenticator: Authenticator, token: str) -> None:
    with pytest.raises(NotAuthenticated, match="the token"):
        authenticator.user_of(token)

"""The way to an environment's cluster, from emulated EKS to a real API server that takes its tokens."""

import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from rehearsal.cluster import Cluster
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.eks_token import keep_credential, kept_credential, new_credential
from tasks.kubernetes.environment_cluster import NoCluster, open_environment_cluster
from tests.rehearsal.eks_cluster import POLICIES, eks_cluster

pytestmark = [pytest.mark.kubernetes]
NAME = "reached"


@pytest.fixture
def dev(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    return load_environment("dev")


@pytest.fixture
def outputs(emulated_aws: EmulatedAws, kubernetes_cluster: Cluster) -> Iterator[Mapping[str, Any]]:
    with eks_cluster(emulated_aws, kubernetes_cluster, NAME) as outputs:
        yield outputs


def test_it_is_reached_as_the_cluster_administrators_that_terraform_made(
    dev: Environment, outputs: Mapping[str, Any], kubernetes_cluster: Cluster
) -> None:
    with open_environment_cluster(dev, outputs) as destination:
        with open_connection(destination.kubeconfig) as connection:
            asked: Any = client.AuthenticationV1Api(connection.api).create_self_subject_review({})
            assert connection.server == destination.address.endpoint == kubernetes_cluster.address
        user = asked.status.user_info
        assert user.username == "arn:aws:sts::111122223333:assumed-role/reached-cluster-admin/agentic-eks-flow"
        assert set(user.groups) == {"cluster-admins", "system:masters", "system:authenticated"}
        assert destination.identity.cluster == NAME
        assert {stat.S_IMODE(path.stat().st_mode) for path in destination.kubeconfig.parent.iterdir()} == {0o600}
    assert not destination.kubeconfig.parent.exists()


def test_kubectl_and_helm_use_the_same_plugin_in_any_directory(
    dev: Environment, outputs: Mapping[str, Any], tmp_path: Path
) -> None:
    with open_environment_cluster(dev, outputs) as destination:
        # What lies there already is not what it makes.
        (destination.kubeconfig.parent / "credential.json").unlink()
        command = [str(cluster_binaries().kubectl), "--kubeconfig", str(destination.kubeconfig), "auth", "whoami"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "assumed-role/reached-cluster-admin" in done.stdout
        assert kept_credential(destination.kubeconfig.parent / "credential.json") is not None


def test_a_cluster_that_is_not_there_is_named(dev: Environment) -> None:
    outputs = {"cluster": {"name": "nowhere"}, "identity": {"role_arns": {"cluster_admin": "arn:aws:iam::1:role/any"}}}
    with (
        pytest.raises(NoCluster, match="no EKS cluster 'nowhere' in 'us-east-1': run provision/dev"),
        open_environment_cluster(dev, outputs),
    ):
        pass


def test_a_role_without_an_access_entry_is_named(
    dev: Environment, outputs: Mapping[str, Any], emulated_aws: EmulatedAws
) -> None:
    role = outputs["identity"]["role_arns"]["cluster_admin"]
    client_of(emulated_aws, "eks").delete_access_entry(clusterName=NAME, principalArn=role)
    with (
        pytest.raises(NoCluster, match=r"does not know .*reached-cluster-admin' \(401\): it has no access entry"),
        open_environment_cluster(dev, outputs),
    ):
        pass


def test_a_role_without_the_policy_is_told_what_it_lacks(
    dev: Environment, outputs: Mapping[str, Any], emulated_aws: EmulatedAws
) -> None:
    named = {"clusterName": NAME, "principalArn": outputs["identity"]["role_arns"]["cluster_admin"]}
    policy = f"{POLICIES}/AmazonEKSClusterAdminPolicy"
    client_of(emulated_aws, "eks").disassociate_access_policy(**named, policyArn=policy)
    with (
        pytest.raises(NoCluster, match=r"may not do everything \(verb '\*' on '\*', 403\).*ClusterAdminPolicy"),
        open_environment_cluster(dev, outputs),
    ):
        pass


def test_without_aws_credentials_the_plugin_says_what_to_do(dev: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    command = [sys.executable, "-m", "tasks.kubernetes.eks_token", "--cluster", NAME, "--region", "us-east-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "for the cluster 'reached' cannot be signed: Unable to locate credentials" in done.stderr
    assert done.stdout == ""


def test_a_kept_credential_is_used_until_it_is_about_to_end(dev: Environment, tmp_path: Path) -> None:
    file = tmp_path / "credential.json"
    assert kept_credential(file) is None
    credential = new_credential(NAME, "us-east-1")
    keep_credential(file, credential)
    assert kept_credential(file) == credential
    soon = datetime.now(UTC) + timedelta(minutes=1)
    keep_credential(file, {**credential, "status": {"expirationTimestamp": f"{soon:%Y-%m-%dT%H:%M:%SZ}"}})
    assert kept_credential(file) is None

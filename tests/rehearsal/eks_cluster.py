"""The rehearsed cluster as an environment's EKS cluster: what Terraform would have made of it, in an emulated AWS."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rehearsal.authenticator import Authenticator, running_authenticator
from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from rehearsal.cluster import Cluster
from tests.rehearsal.aws.test_emulated_aws import a_subnet

POLICIES = "arn:aws:eks::aws:cluster-access-policy"


@contextmanager
def eks_cluster(aws: EmulatedAws, cluster: Cluster, name: str) -> Generator[Mapping[str, Any]]:
    """Have `cluster` be the EKS cluster `name`, with the role `<name>-cluster-admin`; yields Terraform's outputs."""
    with eks_records(aws, name) as outputs, running_authenticator(Authenticator(aws, name), cluster):
        yield outputs


@contextmanager
def eks_records(aws: EmulatedAws, name: str) -> Generator[Mapping[str, Any]]:
    """The EKS cluster `name` and the access of its administrators, for the block; yields Terraform's outputs."""
    eks = client_of(aws, "eks")
    role = f"arn:aws:iam::{aws.account_id}:role/{name}-cluster-admin"
    eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": [a_subnet(aws)]})
    named = {"clusterName": name, "principalArn": role}
    eks.create_access_entry(**named, kubernetesGroups=["cluster-admins"], type="STANDARD")
    eks.associate_access_policy(
        **named, policyArn=f"{POLICIES}/AmazonEKSClusterAdminPolicy", accessScope={"type": "cluster"}
    )
    try:
        yield {"name": name, "cluster": {"name": name}, "identity": {"role_arns": {"cluster_admin": role}}}
    finally:
        eks.delete_cluster(name=name)

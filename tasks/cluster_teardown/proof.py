"""The proof that nothing of the cluster would outlive it: counted in the cluster and in AWS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.cluster_teardown.definitions import own_resources
from tasks.cluster_teardown.load_balancers import is_load_balancer, load_balancers
from tasks.cluster_teardown.nodes import node_claims
from tasks.cluster_teardown.releases import releases_left
from tasks.cluster_teardown.volumes import ebs_volumes
from tasks.environment import Environment
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import CLAIMS, DEFINITIONS, INGRESSES, SERVICES, finalizers, list_all, title
from tasks.resource_names import name_prefix

# Set by whoever proved that the cluster holds nothing, so that a teardown killed later need not enter it again.
EMPTIED_TAG = "agentic-eks-emptied"
GONE = frozenset({"terminated"})


class ClusterNotEmpty(Exception):
    """Something would outlive the cluster; says what. Terraform destroyed nothing."""


@dataclass(frozen=True)
class Counted:
    """How many of one thing are left, and their names."""

    what: str
    left: Sequence[str]

    def row(self) -> Mapping[str, object]:
        """As a row of the table."""
        return {"what": self.what, "left": len(self.left), "which": ", ".join(self.left)}


@task(task_run_name="count-what-is-left", cache_policy=NO_CACHE, persist_result=False)
def count_what_is_left(settings: Environment, connection: Connection) -> list[Counted]:
    """Count what only the cluster's own controllers could take back.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    counts: Mapping[str, Callable[[], Sequence[str]]] = {
        "releases": lambda: releases_left(connection, settings.name.value),
        "NodeClaims": lambda: node_claims(connection),
        "finalizers": lambda: _waiting_for_finalizers(connection),
        "load balancers": lambda: load_balancers(settings),
        "volumes": lambda: ebs_volumes(settings),
        "instances of node pools": lambda: _instances(settings),
    }
    return [Counted(what, sorted(count())) for what, count in counts.items()]


def require_empty(settings: Environment, counted: Sequence[Counted]) -> None:
    """Stop unless every count is zero.

    Raises:
        ClusterNotEmpty: names what is left.
    """
    if left := [each for each in counted if each.left]:
        listed = "; ".join(f"{len(each.left)} {each.what}: {', '.join(each.left)}" for each in left)
        raise ClusterNotEmpty(
            f"the cluster of {settings.name.value!r} leaves {listed}. Terraform destroyed nothing yet; see why they "
            "do not go, delete them, and run teardown again"
        )


@task(task_run_name="note-that-the-cluster-is-empty", cache_policy=NO_CACHE, persist_result=False)
def note_empty(settings: Environment, arn: str) -> None:
    """Write it on the cluster; whoever provisions the environment again takes the note away."""
    with explained_credentials():
        client("eks", settings).tag_resource(resourceArn=arn, tags={EMPTIED_TAG: "true"})


def was_emptied(settings: Environment, arn: str) -> bool:
    """Whether an earlier teardown proved that the cluster holds nothing."""
    with explained_credentials():
        return EMPTIED_TAG in client("eks", settings).list_tags_for_resource(resourceArn=arn)["tags"]


def _waiting_for_finalizers(connection: Connection) -> list[str]:
    """What a controller has a hand on: each object by which it made something in AWS, and what waits to go."""
    found = [
        *((INGRESSES, each) for each in list_all(connection, INGRESSES)),
        *((SERVICES, each) for each in list_all(connection, SERVICES) if is_load_balancer(each)),
        *((CLAIMS, each) for each in list_all(connection, CLAIMS)),
        *((resource, each) for resource in own_resources(connection) for each in list_all(connection, resource)),
        *((DEFINITIONS, each) for each in list_all(connection, DEFINITIONS) if "deletionTimestamp" in each["metadata"]),
    ]
    return [f"{name} of {title(resource, each)}" for resource, each in found for name in finalizers(each)]


def _instances(settings: Environment) -> list[str]:
    """The EC2 instances that Karpenter launched for the cluster, whether it still knows them or not."""
    filters = [
        {"Name": "tag-key", "Values": ["karpenter.sh/nodepool"]},
        {"Name": "tag-key", "Values": [f"kubernetes.io/cluster/{name_prefix(settings.name)}"]},
    ]
    with explained_credentials():
        pages = client("ec2", settings).get_paginator("describe_instances").paginate(Filters=filters)
        instances = [each for page in pages for held in page["Reservations"] for each in held["Instances"]]
    return [str(each["InstanceId"]) for each in instances if each["State"]["Name"] not in GONE]

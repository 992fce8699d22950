"""Volumes that claims made: asked to go before the nodes, waited for after them."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.cluster_teardown import PATIENCE_SECONDS
from tasks.cluster_teardown.removal import every, remove_objects
from tasks.environment import Environment
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import CLAIMS, VOLUMES, delete, list_all
from tasks.progress import wait_until_gone
from tasks.resource_names import name_prefix

MERGE = "application/merge-patch+json"
DELETE = {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}


@task(task_run_name="release-volumes", cache_policy=NO_CACHE, persist_result=False)
def release_volumes(connection: Connection) -> list[str]:
    """Ask for the deletion of every claim, and of its volume with it; returns the claims.

    A claim that a pod still uses goes when that pod has left its node.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    for volume in list_all(connection, VOLUMES):
        name = volume["metadata"]["name"]
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Retain" and volume["spec"].get("csi"):
            connection.patch(f"let go of the volume {name!r}", VOLUMES.path_of(name, ""), DELETE, MERGE)
    claims = list_all(connection, CLAIMS)
    for claim in claims:
        delete(connection, CLAIMS, claim)
    return [f"PersistentVolumeClaim {each['metadata']['namespace']}/{each['metadata']['name']}" for each in claims]


@task(task_run_name="wait-for-volumes", cache_policy=NO_CACHE, persist_result=False)
def remove_volumes(settings: Environment, connection: Connection) -> list[str]:
    """Wait until claims, volumes and what EBS has of them are gone, while the CSI driver lives; returns what went.

    Raises:
        NoProgress: names what does not go, and its finalizers.
        ClusterFault: the API refuses or does not answer.
    """
    gone = remove_objects(connection, "claims of volumes", [(CLAIMS, every)], PATIENCE_SECONDS)
    dynamic = {"pv.kubernetes.io/provisioned-by"}

    def left() -> list[str]:
        return [
            f"PersistentVolume {volume['metadata']['name']} ({volume['status'].get('phase')})"
            for volume in list_all(connection, VOLUMES)
            if dynamic & (volume["metadata"].get("annotations") or {}).keys()
        ]

    wait_until_gone("volumes", left, lambda: "See whether the EBS CSI driver's controller runs", PATIENCE_SECONDS)
    wait_until_gone(
        "EBS volumes", lambda: ebs_volumes(settings), lambda: "Look at them in the EC2 console", PATIENCE_SECONDS
    )
    return gone


def ebs_volumes(settings: Environment) -> list[str]:
    """The ids of the EBS volumes that the CSI driver made for claims of the cluster.

    Source: the tags in https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
    """
    filters = [
        {"Name": "tag-key", "Values": [f"kubernetes.io/cluster/{name_prefix(settings.name)}"]},
        {"Name": "tag-key", "Values": ["kubernetes.io/created-for/pvc/name"]},
    ]
    with explained_credentials():
        pages = client("ec2", settings).get_paginator("describe_volumes").paginate(Filters=filters)
        return [str(volume["VolumeId"]) for page in pages for volume in page["Volumes"]]

"""Volumes for claims of pods on simulated nodes, as the EBS CSI driver makes and removes them; none has a disk."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi
from rehearsal.cluster.simulated_nodes import SIMULATED
from rehearsal.side_by_side import again_and_again

CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
DRIVER = "ebs.csi.aws.com"
# Where the scheduler writes for which node it waits.
SELECTED_NODE = "volume.kubernetes.io/selected-node"
MADE_BY = "pv.kubernetes.io/provisioned-by"
HANDLE = "simulated"
# What the controller says of a volume without its claim, and of one that it thinks it should remove itself.
GONE = ("Released", "Failed")
ZONE = "topology.kubernetes.io/zone"


@contextmanager
def volumes_of_simulated_nodes(cluster: Cluster) -> Generator[None]:
    """Give claims their volumes for the block, and remove volumes whose claim is gone. Claims of real nodes stay."""
    with again_and_again("volumes", cluster, _play):
        yield


def _play(api: KubernetesApi) -> None:
    for claim in api.list(CLAIMS):
        place = claim["metadata"].get("annotations", {}).get(SELECTED_NODE)
        if place is None or claim["spec"].get("volumeName"):
            continue
        node = api.get(f"/api/v1/nodes/{place}")["metadata"]
        if SIMULATED in node.get("annotations", {}):
            api.apply(_volume(claim, node["labels"][ZONE]))
    for volume in api.list(VOLUMES):
        handle = volume["spec"].get("csi", {}).get("volumeHandle")
        if handle == HANDLE and volume["status"].get("phase") in GONE:
            api.delete(f"{VOLUMES}/{volume['metadata']['name']}")


def _volume(claim: Mapping[str, Any], zone: str) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    where = {"key": ZONE, "operator": "In", "values": [zone]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}", "annotations": {MADE_BY: DRIVER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Delete",
            "csi": {"driver": DRIVER, "volumeHandle": HANDLE},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [where]}]}},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }

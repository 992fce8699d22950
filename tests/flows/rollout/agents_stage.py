"""What the stage `agents` of `dev` finds: a cluster with Graviton nodes, and an emulated AWS."""

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from prefect.client.orchestration import get_client

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster
from rehearsal.images import publish_stand_ins
from tasks.agent_service.cluster_release import AgentsRelease
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.custom_resource_definitions import apply_definitions
from tasks.kubernetes.identity import mark_cluster
from tasks.released_images import ReleasedImages, images_block_name
from tasks.weights.manifest import Manifest, write_manifest
from tasks.weights.places import MANIFEST, weights_prefix
from tests.conftest import ZONES
from tests.flows.rollout.node_pools import ADDED, ROOM, definition
from tests.rehearsal.eks_cluster import eks_cluster
from tests.tasks.helm.conftest import IDENTITY
from tests.tasks.helm.test_shipped_releases import sample_outputs

DEV = load_environment("dev")
DEPLOYMENTS = "/apis/apps/v1/namespaces/agents/deployments"
RECORD = "agentic-eks-dev-agents-release"
REPOSITORY_NAME = "agentic-eks-dev/agents"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
SECRETS = ("litellm-master-key", "tavily-api-key")


@pytest.fixture(scope="module")
def graviton_cluster() -> Iterator[Cluster]:
    """A cluster of its own with a simulated Graviton node in each zone, and the types that add-ons bring."""
    with running_cluster() as cluster:
        cluster.add_nodes(graviton_node(f"graviton-{zone}", zone) for zone in ZONES)
        with open_connection(cluster.kubeconfig) as connection:
            apply_definitions(connection, [definition(*each) for each in ADDED])
            mark_cluster(connection, IDENTITY)
        yield cluster


def graviton_node(name: str, zone: str) -> SimulatedNode:
    """A node of the pool that the service runs on."""
    labels = {"agentic-eks/kind": "graviton", "agentic-eks/pool": "graviton"}
    return SimulatedNode(name, zone, "us-east-1", "m8g.4xlarge", "arm64", labels=labels, resources=ROOM)


@contextmanager
def full_nodes(cluster: Cluster) -> Generator[None]:
    """No simulated node takes further pods while the block lasts."""
    for zone in ZONES:
        cluster.api.merge(f"/api/v1/nodes/graviton-{zone}", {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        for zone in ZONES:
            cluster.api.merge(f"/api/v1/nodes/graviton-{zone}", {"spec": {"unschedulable": False}})


def keep_agents_only(checkout: Path) -> None:
    """Have the checkout describe the release of this stage only, with the questions that the gate asks."""
    file = checkout / "helm-values" / "releases.yaml"
    releases = yaml.safe_load(file.read_text(encoding="utf-8"))["releases"]
    shutil.rmtree(file.parent)
    file.parent.mkdir()
    kept = {"agents": {**releases["agents"], "deadline_seconds": 120}}
    file.write_text(yaml.safe_dump({"releases": kept}), encoding="utf-8")
    shutil.copytree(REPOSITORY / "golden", checkout / "golden")


@contextmanager
def prepared_for_agents(aws: EmulatedAws, cluster: Cluster) -> Generator[None]:
    """What the earlier stages leave: images, the mirrored model, secrets, outputs. This process has AWS's variables."""
    s3, secrets, ecr = boto3.client("s3"), boto3.client("secretsmanager"), boto3.client("ecr")
    outputs = sample_outputs("dev")
    bucket = outputs["data"]["buckets"]["models"]["name"]
    prefix = weights_prefix(DEV.models.embedding, DEV.models.catalogue[DEV.models.embedding])
    with eks_cluster(aws, cluster, "agentic-eks-dev") as known:
        EnvironmentOutputs(values={**outputs, **facts_of(known, outputs)}).save(
            block_name(EnvironmentName.DEV), overwrite=True
        )
        publish_stand_ins(DEV)
        s3.create_bucket(Bucket=bucket)
        write_manifest(s3, bucket, prefix, Manifest(origin="any", licence=None, files=()))
        ecr.create_repository(repositoryName=REPOSITORY_NAME)
        for name in SECRETS:
            secrets.create_secret(Name=f"agentic-eks-dev/{name}", SecretString="sk-a-secret")
        yield
        for name in SECRETS:
            secrets.delete_secret(SecretId=f"agentic-eks-dev/{name}", ForceDeleteWithoutRecovery=True)
        ecr.delete_repository(repositoryName=REPOSITORY_NAME, force=True)
        s3.delete_object(Bucket=bucket, Key=f"{prefix}/{MANIFEST}")
    EnvironmentOutputs.delete(block_name(EnvironmentName.DEV))
    ReleasedImages.delete(images_block_name(EnvironmentName.DEV))
    with get_client(sync_client=True) as client:
        for document in client.read_block_documents_by_type(AgentsRelease.get_block_type_slug()):
            client.delete_block_document(document.id)


def facts_of(known: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of the cluster the emulated account's own facts count; pods have the identities of the sample."""
    return {**known, "identity": {**outputs["identity"], **known["identity"]}}


def push(content: str, commit: str) -> str:
    """Put an image into the environment's registry; returns its digest."""
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {"digest": content}})
    # The emulator would take one of a hundred by chance.
    digest = f"sha256:{sha256(manifest.encode()).hexdigest()}"
    boto3.client("ecr").put_image(
        repositoryName=REPOSITORY_NAME, imageManifest=manifest, imageTag=commit, imageDigest=digest
    )
    return digest


def serving(cluster: Cluster) -> dict[str, str]:
    """The digest that each track of the service runs."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"].partition("@")[2]
        for each in cluster.api.list(DEPLOYMENTS)
        if each["metadata"]["name"].startswith("agents")
    }

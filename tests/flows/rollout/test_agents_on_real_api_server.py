"""The flow `agents` for `dev`: a real Prefect server, helm and API server; emulated AWS; pods that run nothing."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster
from rehearsal.cluster.api import KubernetesApi
from rehearsal.images import publish_stand_ins
from tasks.agents_release import AgentsRelease
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.custom_resource_definitions import apply_definitions
from tasks.kubernetes.identity import mark_cluster
from tasks.released_images import ReleasedImages, images_block_name, load_images
from tasks.saved_block import find_block
from tasks.weights.manifest import Manifest, write_manifest
from tasks.weights.places import MANIFEST, weights_prefix
from tests.conftest import ZONES
from tests.flows.conftest import RunPython
from tests.flows.rollout.conftest import Artifact
from tests.flows.rollout.test_models_on_real_api_server import ADDED, ROOM, definition
from tests.rehearsal.eks_cluster import eks_cluster
from tests.tasks.helm.conftest import IDENTITY
from tests.tasks.helm.test_shipped_releases import sample_outputs

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(900)]

DEV = load_environment("dev")
DEPLOYMENTS = "/apis/apps/v1/namespaces/agents/deployments"
REPOSITORY_NAME = "agentic-eks-dev/agents"
RECORD = "agentic-eks-dev-agents-release"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
STARTED = "2026-01-01T00:00:00Z"
SECRETS = ("litellm-master-key", "tavily-api-key")
Agents = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of its own with a simulated Graviton node in each zone, and the types that add-ons bring."""
    with running_cluster() as cluster:
        labels = {"agentic-eks/kind": "graviton", "agentic-eks/pool": "graviton"}
        cluster.add_nodes(
            SimulatedNode(f"graviton-{zone}", zone, "us-east-1", "m8g.4xlarge", "arm64", labels=labels, resources=ROOM)
            for zone in ZONES
        )
        with open_connection(cluster.kubeconfig) as connection:
            apply_definitions(connection, [definition(*each) for each in ADDED])
            mark_cluster(connection, IDENTITY)
        yield cluster


@contextmanager
def kubelet_of(cluster: Cluster, node: str) -> Generator[None]:
    """Say that a node and the pods on it are ready, as its kubelet would; unlike kwok's, the node says nothing else."""
    document = SimulatedNode(
        node,
        ZONES[0],
        "us-east-1",
        "m8g.4xlarge",
        "arm64",
        labels={"agentic-eks/kind": "graviton", "agentic-eks/pool": "graviton"},
        resources=ROOM,
    ).document
    del document["metadata"]["annotations"]
    ready = {"type": "Ready", "status": "True", "reason": "Played", "message": "", "lastTransitionTime": STARTED}
    document["status"]["conditions"] = [{**ready, "lastHeartbeatTime": STARTED}]
    stopped = threading.Event()

    def play() -> None:
        with closing(KubernetesApi(cluster.kubeconfig)) as api:
            while not stopped.wait(0.5):
                api.set_status(document)
                for pod in api.list("/api/v1/pods"):
                    if pod["spec"].get("nodeName") == node and "deletionTimestamp" not in pod["metadata"]:
                        api.set_status(running(pod, ready))

    cluster.api.apply(document)
    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        cluster.api.delete(f"/api/v1/nodes/{node}")


def running(pod: dict[str, Any], ready: dict[str, Any]) -> dict[str, Any]:
    """The pod with all its containers running."""
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "started": True,
            "state": {"running": {"startedAt": STARTED}},
        }
        for each in pod["spec"]["containers"]
    ]
    conditions = [{**ready, "type": kind} for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")]
    named = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": containers, "podIP": "127.0.0.1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "status": status}


@pytest.fixture
def agents(
    emulated_aws: EmulatedAws,
    cluster: Cluster,
    prefect_server: str,
    checkout: Path,
    run_python: RunPython,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Agents]:
    """`python -m flows.agents --environment dev` in a checkout that has the release of this stage only."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    file = checkout / "helm-values" / "releases.yaml"
    releases = yaml.safe_load(file.read_text(encoding="utf-8"))["releases"]
    shutil.rmtree(file.parent)
    file.parent.mkdir()
    kept = {"agents": {**releases["agents"], "deadline_seconds": 120}}
    file.write_text(yaml.safe_dump({"releases": kept}), encoding="utf-8")
    shutil.copytree(REPOSITORY / "golden", checkout / "golden")
    s3, secrets, ecr = boto3.client("s3"), boto3.client("secretsmanager"), boto3.client("ecr")
    outputs = sample_outputs("dev")
    bucket = outputs["data"]["buckets"]["models"]["name"]
    prefix = weights_prefix(DEV.models.embedding, DEV.models.catalogue[DEV.models.embedding])
    with eks_cluster(emulated_aws, cluster, "agentic-eks-dev") as known:
        EnvironmentOutputs(values={**outputs, **facts_of(known, outputs)}).save(
            block_name(EnvironmentName.DEV), overwrite=True
        )
        publish_stand_ins(DEV)
        s3.create_bucket(Bucket=bucket)
        write_manifest(s3, bucket, prefix, Manifest(origin="any", licence=None, files=()))
        ecr.create_repository(repositoryName=REPOSITORY_NAME)
        for name in SECRETS:
            secrets.create_secret(Name=f"agentic-eks-dev/{name}", SecretString="sk-a-secret")

        def run(*options: str) -> "subprocess.CompletedProcess[str]":
            return run_python("-m", "flows.agents", "--environment", "dev", *options, seconds=400)

        yield run
        for name in SECRETS:
            secrets.delete_secret(SecretId=f"agentic-eks-dev/{name}", ForceDeleteWithoutRecovery=True)
        ecr.delete_repository(repositoryName=REPOSITORY_NAME, force=True)
        s3.delete_object(Bucket=bucket, Key=f"{prefix}/{MANIFEST}")
    EnvironmentOutputs.delete(block_name(EnvironmentName.DEV))
    ReleasedImages.delete(images_block_name(EnvironmentName.DEV))
    if find_block(AgentsRelease, RECORD) is not None:
        AgentsRelease.delete(RECORD)


def facts_of(known: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of the cluster the emulated account's own facts count; pods have the identities of the sample."""
    return {**known, "identity": {**outputs["identity"], **known["identity"]}}


def push(content: str, commit: str) -> str:
    """Put an image into the environment's registry; returns its digest."""
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {"digest": content}})
    pushed = boto3.client("ecr").put_image(repositoryName=REPOSITORY_NAME, imageManifest=manifest, imageTag=commit)
    return pushed["image"].get("imageId", {}).get("imageDigest", "")


def serving(cluster: Cluster) -> dict[str, str]:
    """The digest that each track of the service runs."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"].partition("@")[2]
        for each in cluster.api.list(DEPLOYMENTS)
        if each["metadata"]["name"].startswith("agents")
    }


def test_versions_are_released_kept_and_gone_back_to(agents: Agents, cluster: Cluster, artifact: Artifact) -> None:
    first = agents("--requested-by", "ann")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "gate not-proved: the canary's pods are on simulated nodes" in first.stderr
    assert "sk-a-secret" not in first.stdout + first.stderr
    stand_in = f"sha256:{'0' * 64}"
    assert serving(cluster) == {"agents": stand_in}
    page = artifact("dev-agents-release")
    assert stand_in in page
    assert "| released by | `ann` |" in page

    again = agents("--requested-by", "bob")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "agents: unchanged" in again.stderr
    assert artifact("dev-agents-release").splitlines()[:-1] == page.splitlines()[:-1], "what serves has not changed"

    newer = push("newer", "4f2c")
    forward = agents("--version", newer)
    assert forward.returncode == 0, forward.stdout + forward.stderr
    assert serving(cluster) == {"agents": newer}
    assert "| commit | `4f2c` |" in artifact("dev-agents-release")
    assert load_images(EnvironmentName.DEV)["agents"].endswith(newer)

    older = push("older", "1b3d")
    back = agents("--version", older)
    assert back.returncode == 0, back.stdout + back.stderr
    assert serving(cluster) == {"agents": older}

    broken = push("broken", "9e9e")
    with kubelet_of(cluster, "played"):
        for zone in ZONES:
            cluster.api.merge(f"/api/v1/nodes/graviton-{zone}", {"spec": {"unschedulable": True}})
        refused = agents("--version", broken)
        for zone in ZONES:
            cluster.api.merge(f"/api/v1/nodes/graviton-{zone}", {"spec": {"unschedulable": False}})
    assert refused.returncode == 1
    assert f"{broken} is not released: no way to agents/service/agents-canary" in refused.stderr
    assert f"{older} serves still" in refused.stderr
    assert serving(cluster) == {"agents": older}
    assert load_images(EnvironmentName.DEV)["agents"].endswith(older)


def test_what_cannot_be_released_is_said_before_anything_changes(agents: Agents, cluster: Cluster) -> None:
    before = serving(cluster)
    for version, code, message in (
        (f"sha256:{'9' * 64}", 1, "has no such image"),
        ("latest", 2, "version"),
    ):
        done = agents("--version", version)
        assert done.returncode == code, done.stderr
        assert message in done.stderr
    assert serving(cluster) == before

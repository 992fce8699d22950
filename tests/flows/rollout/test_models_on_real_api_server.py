"""The flow `models` for `dev`: a real Prefect server, helm, API server and KubeRay; emulated AWS; stand-in weights.

Ray is played at the network, for no pod runs it: Helm waits until KubeRay says that the RayService is ready.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import boto3
import pytest
import yaml

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, running_ray_operator
from rehearsal.images import publish_stand_ins
from rehearsal.model_hub import ModelHub, running_model_hub, stand_ins
from rehearsal.played_ray import playing_ray_serve
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.custom_resource_definitions import apply_definitions
from tasks.kubernetes.identity import mark_cluster
from tasks.released_images import ReleasedImages, images_block_name
from tasks.weights.hub import ENDPOINT_VARIABLE
from tests.conftest import ZONES
from tests.flows.conftest import RunPython
from tests.flows.rollout.conftest import Artifact
from tests.flows.rollout.node_pools import ADDED, ROOM, definition
from tests.rehearsal.eks_cluster import eks_cluster
from tests.tasks.helm.conftest import IDENTITY
from tests.tasks.helm.test_shipped_releases import sample_outputs

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(1800)]

DEV = load_environment("dev")
Models = Callable[..., "subprocess.CompletedProcess[str]"]
NAMESPACES = ("models", "gateway", "ray")
SECRETS = ("litellm-agents-key", "litellm-evaluation-key", "litellm-master-key", "weights-token")
# As Karpenter labels and taints the nodes of our pools, with the devices that a plugin would announce.
NODES = (
    ("gpu", "amd64", "g6.2xlarge", "nvidia.com/gpu"),
    ("neuron", "amd64", "trn1.2xlarge", "aws.amazon.com/neuron"),
    ("graviton", "arm64", "m8g.4xlarge", None),
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of its own with the KubeRay operator, nodes of each kind of pool in each zone, and add-ons' types."""
    with (
        running_cluster() as cluster,
        playing_ray_serve() as played,
        running_ray_operator(cluster, {"HTTP_PROXY": played}),
    ):
        cluster.add_nodes(
            SimulatedNode(
                f"{kind}-{zone}",
                zone,
                "us-east-1",
                instance,
                architecture,
                labels={"agentic-eks/kind": kind, "agentic-eks/pool": kind},
                taints=() if device is None else ({"key": device, "effect": "NoSchedule"},),
                resources={**ROOM, **({} if device is None else {device: "2"})},
            )
            for kind, architecture, instance, device in NODES
            for zone in ZONES
        )
        with open_connection(cluster.kubeconfig) as connection:
            apply_definitions(connection, [definition(*each) for each in ADDED])
            mark_cluster(connection, IDENTITY)
        for name in NAMESPACES:
            cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield cluster


@pytest.fixture(scope="module")
def hub() -> Iterator[ModelHub]:
    with running_model_hub(stand_ins(DEV.models)) as hub:
        yield hub


@pytest.fixture
def models(
    emulated_aws: EmulatedAws,
    cluster: Cluster,
    hub: ModelHub,
    prefect_server: str,
    checkout: Path,
    run_python: RunPython,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Models]:
    """`python -m flows.models --environment dev` in a checkout that has the releases of this stage only."""
    for name, value in {**emulated_aws.environment, ENDPOINT_VARIABLE: hub.address}.items():
        monkeypatch.setenv(name, value)
    file = checkout / "helm-values" / "releases.yaml"
    releases = yaml.safe_load(file.read_text(encoding="utf-8"))["releases"]
    kept = {name: {**releases[name], "deadline_seconds": 120} for name in ("models", "gateway")}
    shutil.rmtree(file.parent)
    file.parent.mkdir()
    file.write_text(yaml.safe_dump({"releases": kept}), encoding="utf-8")
    s3, secrets = boto3.client("s3"), boto3.client("secretsmanager")
    outputs = sample_outputs("dev")
    with eks_cluster(emulated_aws, cluster, "agentic-eks-dev") as known:
        # Of the cluster the emulated account's own facts count.
        EnvironmentOutputs(values={**outputs, **known}).save(block_name(EnvironmentName.DEV), overwrite=True)
        publish_stand_ins(DEV)
        s3.create_bucket(Bucket=outputs["data"]["buckets"]["models"]["name"])
        for name in SECRETS:
            secrets.create_secret(Name=f"agentic-eks-dev/{name}", SecretString="sk-a-secret")

        def run(*options: str) -> "subprocess.CompletedProcess[str]":
            return run_python("-m", "flows.models", "--environment", "dev", *options)

        yield run
        for name in SECRETS:
            secrets.delete_secret(SecretId=f"agentic-eks-dev/{name}", ForceDeleteWithoutRecovery=True)
    EnvironmentOutputs.delete(block_name(EnvironmentName.DEV))
    ReleasedImages.delete(images_block_name(EnvironmentName.DEV))


def test_models_are_rolled_out_scaled_to_zero_and_rolled_back(
    models: Models, cluster: Cluster, artifact: Artifact
) -> None:
    done = models()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gateway: installed, revision 1; models: installed, revision 1. Asked" in done.stderr
    assert "write manifest_sha256 = '" in done.stderr
    assert "sk-a-secret" not in done.stdout + done.stderr
    rows = {row["model"]: row for row in json.loads(artifact("dev-models-latency"))}
    assert {name: row["answered"] for name, row in rows.items()} == {
        "all-minilm-l6-v2": "not-proved",
        "qwen2-5-7b-instruct": "not-proved",
        "qwen3-8b": "not-proved",
        "nova-pro": None,
    }
    clients = json.loads(artifact("dev-models-clients"))
    assert [(row["client"], row["registered"]) for row in clients] == [
        ("agents", "not-proved"),
        ("evaluation", "not-proved"),
    ]
    assert {row["licence"] for row in json.loads(artifact("dev-models-weights"))} == {"apache-2.0"}
    assert placed(cluster, "models") == {"qwen2-5-7b-instruct": {"gpu"}, "qwen3-8b": {"neuron"}}
    assert placed(cluster, "gateway") == {"litellm": {"graviton"}}
    service = cluster.api.get("/apis/ray.io/v1/namespaces/ray/rayservices/all-minilm-l6-v2")
    assert service["spec"]["rayClusterConfig"]["authOptions"] == {"mode": "token"}

    night = models("--replicas", "0")
    assert night.returncode == 0, night.stdout + night.stderr
    assert "gateway: unchanged, revision 1; models: upgraded, revision 2." in night.stderr
    assert "no model, as all are scaled to zero" in night.stderr
    assert placed(cluster, "models") == {}
    assert not cluster.api.list("/apis/ray.io/v1/namespaces/ray/rayservices")

    back = models("--rollback-to", "1")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "back at revision 1, as revision 3" in back.stderr
    assert set(placed(cluster, "models")) == {"qwen2-5-7b-instruct", "qwen3-8b"}

    again = models()
    assert again.returncode == 0, again.stdout + again.stderr


def test_what_cannot_be_asked_for_is_said_before_anything_changes(models: Models) -> None:
    for options, message in (
        (("--rollback-to", "99"), "rollback_to = 99: the release 'models' has no such earlier revision"),
        (("--rollback-to", "1", "--replicas", "0"), "rollback_to = 1: ask for one, then for the other"),
        (("--replicas", "900"), "replicas need 900 accelerators, but the limits of gpu are 4 together"),
    ):
        done = models(*options)
        assert done.returncode != 0
        assert message in done.stderr


def placed(cluster: Cluster, namespace: str) -> dict[str, set[str]]:
    """The kinds of nodes that hold the running pods of each workload that stays."""
    nodes = {node["metadata"]["name"]: node["metadata"]["labels"] for node in cluster.api.list("/api/v1/nodes")}
    found: dict[str, set[str]] = {}
    for pod in cluster.api.list(f"/api/v1/namespaces/{namespace}/pods"):
        labels: Mapping[str, str] = pod["metadata"]["labels"]
        if "batch.kubernetes.io/job-name" in labels or pod["metadata"].get("deletionTimestamp"):
            continue
        kind = nodes[pod["spec"]["nodeName"]]["agentic-eks/kind"]
        found.setdefault(labels["app.kubernetes.io/name"], set()).add(kind)
    return found

"""A cluster with the real KubeRay operator, behind whose pods a dashboard of Ray is played."""

import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from kubernetes import client

from agents.settings import OpenSearchStore
from rehearsal.aws import EmulatedAws
from rehearsal.clients import client_of
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, running_ray_operator
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.knowledge import Chunks, DeletionGuard, Fusion, Gate, Source
from tasks.environment.variable_file import load_environment
from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.own_cluster import open_own_cluster
from tasks.kubernetes.probe_result import ProbeResult
from tasks.ray_job.cluster import RayJobs
from tasks.ray_job.running import RefreshRun
from tasks.ray_job.specification import NAMESPACE, RayJobRequest
from tasks.refresh.building import RefreshProgress
from tasks.refresh.job import RefreshJob
from tasks.refresh.mirrored_model import MirroredModel
from tasks.refresh.packed_questions import pack
from tasks.refresh.report import RefreshReport
from tasks.runs.log import run_log
from tests.conftest import ZONES
from tests.tasks.ray_job.played_dashboard import PlayedDashboard, played_dashboard

ROOMY = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"}
BUCKET = "agentic-eks-dev-ray-job"
IMAGE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/agentic-eks-dev/ray@sha256:{'a' * 64}"


@pytest.fixture(scope="module")
def dashboard_of_file() -> Iterator[PlayedDashboard]:
    with played_dashboard() as dashboard:
        yield dashboard


@pytest.fixture(scope="module")
def ray_cluster(dashboard_of_file: PlayedDashboard) -> Iterator[Cluster]:
    """A cluster of its own: the operator in it asks the played dashboard."""
    with running_cluster() as cluster:
        cluster.add_nodes(SimulatedNode(f"system-{zone}", zone, "us-east-1", resources=ROOMY) for zone in ZONES)
        cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        cluster.api.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ray", "namespace": NAMESPACE}}
        )
        with running_ray_operator(cluster, {"HTTP_PROXY": dashboard_of_file.address}):
            yield cluster


@pytest.fixture
def dashboard(dashboard_of_file: PlayedDashboard, monkeypatch: pytest.MonkeyPatch) -> PlayedDashboard:
    """The dashboard, empty, and the way to it for the follower."""
    monkeypatch.setenv("HTTP_PROXY", dashboard_of_file.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    dashboard_of_file.away = False
    dashboard_of_file.jobs.clear()
    dashboard_of_file.stopped.clear()
    dashboard_of_file.tokens.clear()
    dashboard_of_file.on_submit = lambda job: None
    return dashboard_of_file


@pytest.fixture
def aws(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> EmulatedAws:
    """The emulated AWS, with a bucket of its own for outcomes."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    with closing(client_of(emulated_aws, "s3")) as s3:
        s3.create_bucket(Bucket=BUCKET)
    return emulated_aws


@pytest.fixture(scope="module")
def service_account(ray_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a pod of the work pool `cluster` is given, in a cluster that has the release `knowledge`."""
    binaries = cluster_binaries()
    chart = str(REPOSITORY / "infra" / "charts" / "knowledge")
    rendered = subprocess.run(
        [str(binaries.helm), "template", "knowledge", chart, "--namespace", NAMESPACE],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    account = {"name": "prefect-worker", "namespace": "prefect"}
    ray_cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prefect"}})
    ray_cluster.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    ray_cluster.api.apply(*(document for document in yaml.safe_load_all(rendered) if document))
    directory = tmp_path_factory.mktemp("serviceaccount")
    with open_connection(ray_cluster.kubeconfig) as connection:
        token: Any = client.CoreV1Api(connection.api).create_namespaced_service_account_token(
            account["name"], account["namespace"], {"spec": {"expirationSeconds": 3600}}
        )
        (directory / "ca.crt").write_text(connection.certificate_authority, encoding="ascii")
    (directory / "token").write_text(token.status.token, encoding="ascii")
    return directory


@pytest.fixture
def connection(ray_cluster: Cluster, service_account: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """As a pod of the work pool connects, with its rights and no others."""
    address = urlsplit(ray_cluster.address)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(address.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(address.port))
    settings = load_environment(EnvironmentName.DEV)
    with open_own_cluster(settings, {}, service_account) as connection:
        yield connection


def request(**changes: Any) -> RayJobRequest:
    """A refresh as the flow asks for it; `changes` are of its job."""
    attempt = uuid.uuid4().hex
    job = RefreshJob(
        attempt=attempt,
        environment="dev",
        sources=(Source(name="documents", uri="s3://documents/all"),),
        chunks=Chunks(tokens=224, overlap_tokens=32),
        max_document_mib=64,
        fusion=Fusion(method="min_max", dense_weight=0.3, candidates=50),
        gate=Gate(),
        deletion_guard=DeletionGuard(),
        deletions_confirmed=False,
        questions=pack(()),
        generations_kept=3,
        store=OpenSearchStore(
            engine="opensearch", endpoint="https://search.example", index_prefix="dev", shards=1, replicas=0
        ),
        model=MirroredModel(name="all-minilm-l6-v2", dimension=384, bucket="models", prefix="weights/minilm/1"),
        context_tokens=512,
        workers=2,
        model_directory="/models",
        outcome_uri=f"s3://{BUCKET}/refreshes/outcome.json",
        flow_run_id=str(uuid.uuid4()),
    ).model_copy(update=changes)
    return RayJobRequest(EnvironmentName.DEV, IMAGE, "us-east-1", job)


@dataclass
class Trial:
    """A run in a thread of its own; `cancel` and `owner_alive` are what Prefect would say."""

    run: RefreshRun
    cancel: threading.Event = field(default_factory=threading.Event)
    progress: list[RefreshProgress] = field(default_factory=list[RefreshProgress])
    result: RefreshReport | ProbeResult | None = None
    error: BaseException | None = None
    _thread: threading.Thread | None = None

    def start(self) -> "Trial":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def wait(self) -> "Trial":
        assert self._thread is not None
        self._thread.join(timeout=600)
        assert not self._thread.is_alive()
        return self

    def _run(self) -> None:
        try:
            self.result = self.run.run()
        except BaseException as error:  # noqa: BLE001 - a stopped process raises what is no Exception
            self.error = error


MakeTrial = Callable[..., Trial]


@pytest.fixture
def trial(connection: Connection, dashboard: PlayedDashboard, aws: EmulatedAws) -> Iterator[MakeTrial]:
    """Makes runs; whatever they leave is removed at the end."""
    jobs = RayJobs(connection)

    def make(asked: RayJobRequest, *, owner_alive: bool = False) -> Trial:
        made: Trial = Trial(
            RefreshRun(jobs, asked, run_log(), lambda _: None, lambda _: owner_alive, lambda: made.cancel.is_set())
        )
        made.run = replace(made.run, on_progress=made.progress.append)
        return made

    yield make
    if left := jobs.find("knowledge-dev"):
        jobs.remove(left)

"""A cluster as a lifecycle leaves it: releases of two stages, nodes that the real Karpenter launched, finalizers."""

import json
import shutil
import threading
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import stamina

from rehearsal.aws import EmulatedAws, running_emulated_aws
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, running_karpenter
from rehearsal.cluster.api import Refused
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.preparation import Sources
from tasks.helm.rollout import RolloutFailed, require_rolled_out
from tasks.helm.stage import roll_out_releases
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.faults import ObjectMissing
from tasks.kubernetes.identity import (
    MARK_NAME,
    MARK_NAMESPACE,
    Destination,
    mark_cluster,
)
from tasks.kubernetes.objects import get
from tests.conftest import ZONES
from tests.rehearsal.cluster.workloads import node_pool
from tests.tasks.cluster_teardown.child import ADDRESS, IDENTITY

ACCOUNT, REGION = "111122223333", "us-east-1"
CHARTS = Path(__file__).parent / "charts"
INGRESS = "/apis/networking.k8s.io/v1/namespaces/agents/ingresses/assistant"
SERVICE = "/api/v1/namespaces/agents/services/assistant"
WIDGET = "/apis/operated.example.com/v1/namespaces/default/widgets/left"
NODE_POOLS, NODE_CLAIMS = "/apis/karpenter.sh/v1/nodepools", "/apis/karpenter.sh/v1/nodeclaims"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def release(chart: str, namespace: str, **others: Any) -> dict[str, Any]:
    return {
        "chart": {"source": "own", "path": f"charts/{chart}"},
        "namespace": namespace,
        "probe": {"kind": "applied"},
        "deadline_seconds": 240,
        **others,
    }


RELEASES = {
    "pools": release("pools", "kube-system"),
    "langfuse": release("assistant", "default", needs=["pools"]),
    "operator": release("operator", "default", needs=["langfuse"]),
    "assistant": release("assistant", "agents", stage="agents", needs=["pools"]),
}


@dataclass(frozen=True)
class Furnished:
    """`destination` leads to the cluster, which `dev` owns."""

    cluster: Cluster
    destination: Destination
    settings: Environment


@pytest.fixture(scope="module")
def bare_cluster() -> Iterator[Cluster]:
    """A cluster of its own: everything in it is taken down."""
    with running_cluster() as cluster:
        cluster.add_nodes([SimulatedNode(f"system-{ZONES[0]}", ZONES[0], REGION, taints=(_TAINT,))])
        yield cluster


_TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def aws_account() -> Iterator[EmulatedAws]:
    with running_emulated_aws(ACCOUNT, REGION) as aws:
        yield aws


@pytest.fixture
def settings(aws_account: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in aws_account.environment.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{aws_account.address}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()
    return load_environment("dev")


@pytest.fixture
def target(bare_cluster: Cluster, settings: Environment) -> Iterator[Target]:
    """The cluster, marked as dev's, with Karpenter and nothing else in it."""
    with open_connection(bare_cluster.kubeconfig) as connection:
        mark_cluster(connection, IDENTITY)
    with running_karpenter(bare_cluster, ZONES), open_target(settings, destination(bare_cluster)) as target:
        wait_until_pools_are_admitted(bare_cluster)
        yield target
    bare_cluster.api.delete(f"/api/v1/namespaces/{MARK_NAMESPACE}/configmaps/{MARK_NAME}")


def wait_until_pools_are_admitted(cluster: Cluster) -> None:
    """Admission learns of new definitions a moment after the API serves them."""
    deadline, pause = time.monotonic() + 120, threading.Event()
    while True:
        try:
            cluster.api.create(f"{NODE_POOLS}?dryRun=All", node_pool("tried", ["m7g"]))
        except Refused:
            if time.monotonic() > deadline:
                raise
            pause.wait(0.2)
        else:
            return


@pytest.fixture
def furnished(bare_cluster: Cluster, settings: Environment, target: Target, tmp_path: Path) -> Furnished:
    """Add-ons and the assistant are rolled out, on nodes that Karpenter launched for them."""
    shutil.copytree(CHARTS, tmp_path / "charts")
    file = tmp_path / "helm-values" / "releases.yaml"
    file.parent.mkdir()
    file.write_text(json.dumps({"releases": RELEASES}))
    (file.parent / "langfuse").mkdir()
    (file.parent / "langfuse" / "base.yaml").write_text("edge: false")
    there = destination(bare_cluster)
    for stage in ("addons", "agents"):
        # Right after a definition was removed and made again, the API server does not yet tell of its objects.
        for attempt in stamina.retry_context(on=RolloutFailed, attempts=3):
            with attempt:
                results = roll_out_releases(settings, {}, there, Sources(file, tmp_path, {}), target.say, stage)
                require_rolled_out(results)
    bare_cluster.api.apply(
        {
            "apiVersion": "operated.example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "left", "namespace": "default", "finalizers": ["operated.example.com/outside"]},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "answers", "namespace": "agents"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        },
    )
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0].get("SubnetId", "")
    eks = boto3.client("eks")
    if not eks.list_clusters()["clusters"]:
        role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
        eks.create_cluster(name=IDENTITY.cluster, roleArn=role, resourcesVpcConfig={"subnetIds": [subnet]})
    boto3.client("elbv2").create_load_balancer(
        Name="k8s-agents-assistant",
        Type="network",
        Subnets=[subnet],
        Tags=[{"Key": "elbv2.k8s.aws/cluster", "Value": IDENTITY.cluster}],
    )
    return Furnished(bare_cluster, there, settings)


def destination(cluster: Cluster) -> Destination:
    return Destination(cluster.kubeconfig, IDENTITY, ADDRESS)


@contextmanager
def playing_controllers(cluster: Cluster, but: Collection[str] = ()) -> Generator[None]:
    """In the place of the controllers of load balancers and of the operator: let go of what is being deleted.

    `but` names what nobody lets go of.
    """
    ended = threading.Event()

    def play() -> None:
        with open_connection(cluster.kubeconfig) as connection:
            while not ended.wait(0.2):
                for path in {INGRESS, SERVICE, WIDGET} - set(but):
                    let_go(connection, path)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def let_go(connection: Connection, path: str) -> None:
    """Take the finalizers from an object that is being deleted; with the Service goes its load balancer."""
    with suppress(ObjectMissing):
        if not get(connection, path)["metadata"].get("deletionTimestamp"):
            return
        if path == SERVICE:
            elb = boto3.client("elbv2")
            for balancer in elb.describe_load_balancers()["LoadBalancers"]:
                elb.delete_load_balancer(LoadBalancerArn=balancer.get("LoadBalancerArn", ""))
        connection.patch("let go", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")

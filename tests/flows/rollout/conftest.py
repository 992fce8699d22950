"""The flow `addons` for `dev`: emulated AWS knows the rehearsed cluster as dev's; our own charts are rolled out."""

import functools
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster
from tasks.environment import EnvironmentName
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tests.artifacts import newest_artifact
from tests.flows.conftest import RunPython
from tests.flows.rollout.agents_stage import graviton_cluster
from tests.rehearsal.eks_cluster import eks_cluster
from tests.tasks.helm.conftest import connection, dev, rollout
from tests.tasks.helm.described_releases import DescribedReleases

__all__ = ["connection", "dev", "graviton_cluster", "rollout"]

Addons = Callable[..., "subprocess.CompletedProcess[str]"]
Artifact = Callable[[str], str]


@pytest.fixture(scope="module")
def outputs(emulated_aws: EmulatedAws, kubernetes_cluster: Cluster) -> Iterator[Mapping[str, Any]]:
    """What Terraform would have made of the cluster, as far as a rollout needs it."""
    with eks_cluster(emulated_aws, kubernetes_cluster, "agentic-eks-dev") as outputs:
        yield outputs


@pytest.fixture
def described(checkout: Path) -> DescribedReleases:
    """The releases of the checkout: what a test adds, and no others."""
    shutil.rmtree(checkout / "helm-values")
    described = DescribedReleases(checkout)
    described.write()
    return described


@pytest.fixture
def provisioned(
    outputs: Mapping[str, Any],
    emulated_aws: EmulatedAws,
    checkout: Path,
    prefect_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """`dev` as provision leaves it, for this process and its children: AWS, and the outputs in their block."""
    for name, value in {**emulated_aws.environment, "PYTHONPATH": str(checkout)}.items():
        monkeypatch.setenv(name, value)
    EnvironmentOutputs(values=dict(outputs)).save(block_name(EnvironmentName.DEV), overwrite=True)
    yield
    EnvironmentOutputs.delete(block_name(EnvironmentName.DEV))


@pytest.fixture
def addons(provisioned: None, described: DescribedReleases, run_python: RunPython) -> Addons:
    """`python -m flows.addons --environment dev` with further options, in the checkout."""

    def run(*options: str) -> "subprocess.CompletedProcess[str]":
        return run_python("-m", "flows.addons", "--environment", "dev", *options)

    return run


@pytest.fixture
def artifact(prefect_client: SyncPrefectClient) -> Artifact:
    """The newest artifact under a key, as text."""

    return functools.partial(newest_artifact, prefect_client)

"""The image of the runs in the pool `cluster`, built by the Dockerfile and started over a root that is read only."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.images.containers import Container, Workshop
from tests.images.locks import locked

pytestmark = pytest.mark.buildah
WITHIN_SECONDS = 300


@pytest.fixture(scope="module")
def container(images: Workshop) -> Iterator[Container]:
    with images.build("flows").mounted() as container:
        yield container


def in_container(container: Container, files: Path, *program: str) -> "subprocess.CompletedProcess[str]":
    return container.run(files, {}, program, WITHIN_SECONDS)


@pytest.mark.timeout(1500)
def test_every_flow_that_is_deployed_is_in_it_and_reads_every_environment(container: Container, tmp_path: Path) -> None:
    application = container.root / "app"
    deployments = yaml.safe_load((application / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    entrypoints = sorted({str(block["entrypoint"]) for block in deployments})
    assert len(entrypoints) > 10
    program = (
        "import importlib\n"
        "from tasks.environment import REPOSITORY, EnvironmentName\n"
        "from tasks.environment.variable_file import load_environment\n"
        "from tasks.helm.releases_file import load_releases\n"
        f"for entrypoint in {entrypoints}:\n"
        "    module, _, name = entrypoint.rpartition('.')\n"
        "    getattr(importlib.import_module(module), name)\n"
        "for name in EnvironmentName: load_environment(name)\n"
        "print(REPOSITORY, len(load_releases()))"
    )
    outcome = in_container(container, tmp_path, "python", "-c", program)
    assert outcome.returncode == 0, outcome.stderr
    where, releases = outcome.stdout.rsplit(maxsplit=1)
    assert where == "/app"
    assert int(releases) > 10


def test_it_has_helm_and_kubectl_and_the_prefect_that_it_is_locked_with(container: Container, tmp_path: Path) -> None:
    prefect = in_container(container, tmp_path, "prefect", "version")
    assert locked("main.txt")["prefect"] in prefect.stdout, prefect.stderr
    program = (
        "import subprocess\n"
        "from tasks.kubernetes.binaries import cluster_binaries\n"
        "found = cluster_binaries()\n"
        "subprocess.run([found.helm, 'version', '--short'], check=True)\n"
        "subprocess.run([found.kubectl, 'version', '--client'], check=True)"
    )
    outcome = in_container(container, tmp_path, "python", "-c", program)
    assert outcome.returncode == 0, outcome.stderr
    assert "v4." in outcome.stdout
    assert "Client Version: v1.35" in outcome.stdout


def test_what_loads_the_weights_runs_in_it(container: Container, tmp_path: Path) -> None:
    outcome = in_container(container, tmp_path, "python", "-m", "tasks.weights.load", "--help")
    assert outcome.returncode == 0, outcome.stderr
    assert "--bucket" in outcome.stdout


def test_tests_and_state_stay_out_of_it_and_it_runs_as_a_number(container: Container) -> None:
    application = container.root / "app"
    assert not (application / "infra" / "tests").exists()
    assert not list(application.rglob("test_*.py"))
    assert not list(application.rglob("*.tfstate*"))
    assert container.configuration["User"] == "1000:1000"

"""The image of Ray's pods, built by the Dockerfile; Ray itself is started in it, not a cluster of pods."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.containers import Container, Workshop
from tests.images.locks import locked

pytestmark = pytest.mark.buildah
WITHIN_SECONDS = 240


@pytest.fixture(scope="module")
def container(images: Workshop) -> Iterator[Container]:
    with images.build("ray").mounted() as container:
        yield container


def in_container(container: Container, files: Path, *program: str) -> "subprocess.CompletedProcess[str]":
    return container.run(files, {"RAY_USAGE_STATS_ENABLED": "0"}, program, WITHIN_SECONDS)


def test_ray_is_the_version_that_jobs_are_sent_with_also_in_a_login_shell(container: Container, tmp_path: Path) -> None:
    # KubeRay starts Ray by bash -c, or by bash -lc where its operator is told so.
    for options in ("-c", "-lc"):
        outcome = in_container(container, tmp_path, "/bin/bash", options, "--", "ulimit -n 65536; ray --version")
        assert outcome.stdout.strip() == f"ray, version {locked('ray.txt')['ray']}", outcome.stderr
    assert in_container(container, tmp_path, "wget", "--version").returncode == 0


def test_what_the_pods_run_can_be_imported_and_needs_no_orchestrator(container: Container, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "import tasks.refresh.run_job, tasks.refresh.mirrored_model, tasks.embedding.service\n"
        "import agents.knowledge.store.opensearch, agents.knowledge.bucket_source, agents.knowledge.parsing\n"
        "print('prefect' in sys.modules)"
    )
    outcome = in_container(container, tmp_path, "python", "-c", program)
    assert outcome.stdout.strip() == "False", outcome.stderr


def test_the_driver_of_a_refresh_refuses_what_is_no_job(container: Container, tmp_path: Path) -> None:
    outcome = in_container(container, tmp_path, "python", "-m", "tasks.refresh.run_job", "{}")
    assert outcome.returncode == 2, outcome.stderr
    assert "wants one argument, a RefreshJob as JSON" in outcome.stdout


def test_it_runs_as_a_number_and_holds_nothing_of_the_other_images(container: Container) -> None:
    assert container.configuration["User"] == "1000:1000"
    assert sorted(path.name for path in (container.root / "app").iterdir()) == ["agents", "tasks"]
    assert not (container.root / "opt/venv/bin/prefect").exists()

"""The files of the flows' image, laid out as the Dockerfile copies them; its gigabytes of packages are not installed.

That they resolve together is what the lock says: it is the one that this test runs with.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tasks.environment import REPOSITORY
from tests.images.test_dockerfile import stages


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is /app in the image."""
    root = tmp_path_factory.mktemp("flows-image")
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for words in stages()["flows-packages"].of("COPY"):
        *sources, destination = words.split()
        for source in sources if destination.startswith("/app") else ():
            here, there = REPOSITORY / source, root / Path(destination).relative_to("/app")
            if here.is_dir():
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*"))
            else:
                shutil.copy(here, there)
            for line in ignored:
                shutil.rmtree(root / line, ignore_errors=True)
    return root


def in_image(application: Path, program: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "PYTHONPATH": str(application), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(
        command, cwd=application, env=variables, capture_output=True, text=True, check=False, timeout=240
    )


def test_every_flow_that_is_deployed_is_in_it_and_reads_every_environment(application: Path) -> None:
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
    outcome = in_image(application, program)
    assert outcome.returncode == 0, outcome.stderr
    where, releases = outcome.stdout.rsplit(maxsplit=1)
    assert where == str(application)
    assert int(releases) > 10


def test_what_loads_the_weights_runs_in_it(application: Path) -> None:
    outcome = in_image(
        application,
        "import runpy, sys; sys.argv = ['load', '--help']; runpy.run_module('tasks.weights.load', run_name='__main__')",
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "--bucket" in outcome.stdout


def test_tests_and_state_stay_out_of_it(application: Path) -> None:
    assert not (application / "infra" / "tests").exists()
    assert not list(application.rglob("test_*.py"))
    assert not list(application.rglob("*.tfstate*"))

"""Copies of the Terraform root, initialised, so that the checkout stays clean."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.provider_mirror import cli_configuration
from tasks.environment import EnvironmentName
from tests.terraform import INFRA, copy_of, copy_of_infra, run_terraform

MockedTest = Callable[[EnvironmentName], tuple[dict[str, Any], ...]]


@pytest.fixture(scope="session")
def terraform_configuration(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables that tell Terraform where its provider is."""
    return cli_configuration(tmp_path_factory.mktemp("terraform-cli"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, terraform_configuration: dict[str, str]) -> Path:
    """The Terraform root with its modules and provider; it keeps its state in a file."""
    copy = copy_of_infra(tmp_path_factory.mktemp("terraform"))
    run_terraform(copy, "init", environment=terraform_configuration)
    return copy


@pytest.fixture(scope="session")
def mocked_test(root: Path, terraform_configuration: dict[str, str]) -> MockedTest:
    """The test that plans an environment file with a mocked provider; each is run once.

    The messages are described in Terraform's documentation, "Machine-Readable UI".
    """

    @functools.cache
    def run(name: EnvironmentName) -> tuple[dict[str, Any], ...]:
        lines = run_terraform(
            root,
            "test",
            "-json",
            "-verbose",
            "-test-directory=tests/environment-files",
            f"-var-file=environments/{name.value}.tfvars",
            environment=terraform_configuration,
        )
        return tuple(json.loads(line) for line in lines.splitlines())

    return run


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sections of an environment file, declared and nothing else: it needs no provider."""
    copy = copy_of(INFRA / "tests" / "sections", tmp_path_factory.mktemp("terraform"))
    run_terraform(copy, "init")
    return copy

"""Copies of the Terraform root, initialised, so that the checkout stays clean."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tests.terraform import cli_configuration, run_terraform

INFRA = REPOSITORY / "infra"

Terraform = Callable[..., str]


def copy_of(source: Path, directory: Path) -> Path:
    """A copy with files in the place of links, and without what Terraform left there."""
    return shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns(".terraform*"))


@pytest.fixture(scope="session")
def terraform_configuration(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment variables that tell Terraform where its provider is."""
    return cli_configuration(tmp_path_factory.mktemp("terraform-cli"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, terraform_configuration: dict[str, str]) -> Path:
    """The Terraform root with its modules and provider; it keeps its state in a file."""
    copy = copy_of(INFRA, tmp_path_factory.mktemp("terraform"))
    (copy / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    run_terraform(copy, "init", environment=terraform_configuration)
    return copy


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sections of an environment file, declared and nothing else: it needs no provider."""
    copy = copy_of(INFRA / "tests" / "sections", tmp_path_factory.mktemp("terraform"))
    run_terraform(copy, "init")
    return copy

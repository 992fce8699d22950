"""The private copy of the Terraform root, and what must be there before one is made."""

import os
import stat
from pathlib import Path

import pytest

from tasks.aws_session import MissingCredentials
from tasks.environment import Environment
from tasks.terraform.root import MissingTerraform, open_root, require_terraform


def test_root_is_private_and_goes_away(dev_on_emulated_aws: Environment) -> None:
    with open_root(dev_on_emulated_aws) as root:
        mode = stat.S_IMODE(root.directory.parent.stat().st_mode)
        assert mode == 0o700
        assert (root.directory / "main.tf").is_file()
        assert (root.directory / "modules" / "network" / "main.tf").is_file()
        assert 'name       = "dev"' in root.variable_file.read_text(encoding="utf-8")
        assert root.backend.key == "dev/terraform.tfstate"
    assert not root.directory.parent.exists()


def test_root_stays_when_it_holds_the_only_record_of_what_was_made(
    dev_on_emulated_aws: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_root(dev_on_emulated_aws) as root:
        record = root.directory / "errored.tfstate"
        record.write_text("{}", encoding="utf-8")
    assert record.exists()
    assert str(record) in caplog.text


def test_missing_terraform_says_which_and_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTerraform, match=r"version 1\.11 or newer from https://developer\.hashicorp\.com"):
        require_terraform()


def test_terraform_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "terraform"
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n', encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(MissingTerraform, match=r"'1\.9\.8', which is too old"):
        require_terraform()


def test_missing_credentials_are_one_clear_error(
    dev_on_emulated_aws: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MissingCredentials, match="there are no AWS credentials: give the worker an AWS role"):
        open_root(dev_on_emulated_aws).__enter__()

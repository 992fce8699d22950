"""Terraform itself, with its state on the emulated AWS."""

import logging
from dataclasses import replace

import pytest

from tasks.terraform.commands import (
    PlanKind,
    apply_plan,
    initialise,
    make_plan,
    read_outputs,
    refresh_state,
    state_addresses,
    validate,
)
from tasks.terraform.failures import StalePlan, TerraformFailed
from tasks.terraform.plan_document import Action
from tasks.terraform.root import TerraformRoot
from tests.tasks.terraform.conftest import MakeRoot

pytestmark = pytest.mark.terraform


def ignore_progress(done: int, total: int) -> None:
    pass


def apply(root: TerraformRoot) -> None:
    apply_plan.fn(root, make_plan.fn(root, PlanKind.NORMAL), ignore_progress)


def test_from_nothing_to_outputs_and_back(root: TerraformRoot) -> None:
    validate.fn(root)
    assert state_addresses.fn(root) == []
    progress: list[tuple[int, int]] = []

    first = make_plan.fn(root, PlanKind.NORMAL)
    apply_plan.fn(root, first, lambda done, total: progress.append((done, total)))

    assert (first.serial, first.lineage, first.changed, len(first.digest)) == (0, "", True, 64)
    assert [change.action for change in first.document.planned()] == [Action.CREATE, Action.CREATE]
    assert progress == [(1, 2), (2, 2)]
    assert state_addresses.fn(root) == ["terraform_data.first", "terraform_data.second"]
    assert read_outputs.fn(root) == {"word": "hello"}

    again = make_plan.fn(root, PlanKind.NORMAL)
    assert not again.changed
    assert again.serial > 0
    assert again.lineage

    apply_plan.fn(root, make_plan.fn(root, PlanKind.DESTROY), ignore_progress)
    assert state_addresses.fn(root) == []


def test_replacing_counts_twice(root: TerraformRoot) -> None:
    apply(root)
    file = root.directory / "main.tf"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("{ input = var.word }", '{ triggers_replace = ["new"] }'), encoding="utf-8")
    progress: list[tuple[int, int]] = []

    plan = make_plan.fn(root, PlanKind.NORMAL)
    apply_plan.fn(root, plan, lambda done, total: progress.append((done, total)))

    assert Action.REPLACE in [change.action for change in plan.document.planned()]
    assert progress[-1] == (3, 3)


def test_refresh_keeps_what_terraform_made(root: TerraformRoot) -> None:
    apply(root)
    refresh_state.fn(root)
    assert not make_plan.fn(root, PlanKind.REFRESH_ONLY).document.drift
    assert read_outputs.fn(root) == {"word": "hello"}


def test_plan_is_stale_once_the_state_changed(root: TerraformRoot) -> None:
    stale = make_plan.fn(root, PlanKind.NORMAL)
    kept = stale.path.rename(root.directory / "kept.tfplan")
    apply(root)

    with pytest.raises(StalePlan, match="Saved plan"):
        apply_plan.fn(root, replace(stale, path=kept), ignore_progress)


def test_failure_says_what_terraform_says_and_where(make_root: MakeRoot) -> None:
    root = make_root('terraform {\n  backend "s3" {}\n}\nvariable "word" {}\noutput "word" { value = nothing.here }\n')

    with pytest.raises(TerraformFailed, match=r"terraform validate of 'dev' ended with 1:[\s\S]*undeclared resource"):
        validate.fn(root)
    with pytest.raises(TerraformFailed, match=r"undeclared resource \(main.tf:5\)"):
        make_plan.fn(root, PlanKind.NORMAL)


def test_secrets_reach_no_log(
    make_root: MakeRoot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame-0815")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-4711")
    talkative = """
resource "terraform_data" "talkative" {
  provisioner "local-exec" {
    command = "echo \\"$AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN AKIAIOSFODNN7EXAMPLE said aloud\\""
  }
}
output "password" {
  value     = "correct horse"
  sensitive = true
}
variable "word" {}
terraform {
  backend "s3" {}
}
"""
    root = make_root(talkative)

    with caplog.at_level(logging.DEBUG, logger="agentic_eks"):
        apply(root)
        outputs = read_outputs.fn(root)

    assert "*** *** *** said aloud" in caplog.text
    assert outputs == {}
    for secret in ("sesame-0815", "token-4711", "AKIAIOSFODNN7EXAMPLE", "correct horse"):
        assert secret not in caplog.text


def test_named_cli_configuration_that_does_not_exist_is_no_problem(
    root: TerraformRoot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraform.rc")
    with caplog.at_level(logging.INFO):
        initialise.fn(root)
    assert "successfully initialized" in caplog.text
    assert "/nowhere/terraform.rc" not in caplog.text

"""`provision/dev` in a real worker: it waits for a person, and applies exactly what that person approved."""

from pathlib import Path

import boto3
import pytest
import typer
from typer.testing import CliRunner, Result

from console.approve import approve
from tasks.environment import EnvironmentName
from tasks.environment_outputs import load_outputs
from tests.flows.provision.conftest import Provision, Provisioning, SmallRoot, state_of_dev, word_in_state

pytestmark = [pytest.mark.terraform, pytest.mark.prefect_server]

# The environment of dev as a protected one, which has to say who is told of failures, and whose callers sign in.
PROTECTED = {
    "protected  = false": "protected  = true",
    "\n  prefect = {\n": '\n  prefect = {\n    notifications = "agentic-eks-notifications"\n',
    "\nagents = {\n": "\nagents = {\n  sign_in = { required = true }\n",
    "\n  postgres = {\n": "\n  postgres = {\n    agents = "
    '{ major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false }\n',
    "\n  secrets = {\n": '\n  secrets = {\n    agents-gate-key = { origin = "generated", rotation_days = 30 }\n',
}

application = typer.Typer()
application.command()(approve)


def answer(*arguments: str) -> Result:
    return CliRunner().invoke(application, [*arguments])


def test_approved_plan_is_applied_once_and_its_outputs_are_published(
    small_root: SmallRoot, provisioning: Provisioning
) -> None:
    run = provisioning.ask()
    provisioning.work()
    digest = provisioning.waiting_digest(run)
    assert word_in_state() is None
    page = provisioning.page(run, "dev-provision-plan")
    assert digest in page
    assert "1 to add, 0 to change, 0 to replace, 0 to destroy" in page
    assert "requested by alice" in page

    answered = answer(str(run), "--yes", "--approver", "bob")
    worker = provisioning.work()

    assert answered.exit_code == 0, answered.output
    assert "1 to add" in answered.output
    assert provisioning.state(run).is_completed(), worker.stdout + worker.stderr
    assert word_in_state() == "first"
    assert load_outputs(EnvironmentName.DEV) == {"word": "first"}
    assert "`first`" in provisioning.page(run, "dev-provision-outputs")
    assert f"Plan `{digest}`" in provisioning.page(run, "dev-provision-approval")
    assert "bob (arn:aws:sts::111122223333:" in provisioning.page(run, "dev-provision-approval")
    for secret in ("correct horse", "rehearsal"):
        assert secret not in worker.stdout + worker.stderr

    again = provisioning.ask()
    provisioning.work()
    assert provisioning.state(again).is_completed()
    assert "Nothing to change" in provisioning.page(again, "dev-provision-plan")


def test_rejected_plan_is_not_applied(small_root: SmallRoot, provisioning: Provisioning) -> None:
    run = provisioning.ask()
    provisioning.work()

    answered = answer(str(run), "--reject", "--approver", "bob", "--reason", "not on a Friday")
    provisioning.work()

    assert answered.exit_code == 0, answered.output
    assert "was rejected by 'bob': not on a Friday; nothing was applied" in str(provisioning.state(run).message)
    assert state_of_dev() == {}
    refused = answer(str(run), "--yes")
    assert refused.exit_code == 1
    assert "is not waiting for an approval: its state is 'Failed'" in refused.output


def test_approval_of_another_plan_is_refused(small_root: SmallRoot, provisioning: Provisioning) -> None:
    run = provisioning.ask()
    provisioning.work()
    provisioning.waiting_digest(run)
    outdated = {"decision": "approve", "plan": "0123456789ab", "approver": "bob"}

    incomplete = provisioning.client.resume_flow_run(run, {"decision": "approve"})
    provisioning.client.resume_flow_run(run, outdated)
    provisioning.work()

    assert incomplete.status.value == "REJECT"
    assert "the approval of 'bob' is for plan '0123456789ab'" in str(provisioning.state(run).message)
    assert state_of_dev() == {}


def test_stale_plan_is_made_again_and_approved_again(
    small_root: SmallRoot, provisioning: Provisioning, provision: Provision
) -> None:
    run = provisioning.ask()
    provisioning.work()
    first = provisioning.waiting_digest(run)
    assert provision("--auto-approve").returncode == 0
    small_root.says("second")

    answer(str(run), "--yes")
    provisioning.work()
    second = provisioning.waiting_digest(run)
    assert second != first
    assert word_in_state() == "first"
    answer(str(run), "--yes")
    provisioning.work()

    assert provisioning.state(run).is_completed()
    assert word_in_state() == "second"


def test_protected_environment_is_applied_on_the_word_of_a_second_person(
    small_root: SmallRoot, provisioning: Provisioning, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = checkout / "infra" / "environments"
    monkeypatch.setenv("AGENTIC_EKS_ENVIRONMENTS", str(files))
    text = (files / "dev.tfvars").read_text(encoding="utf-8")
    for before, after in PROTECTED.items():
        assert before in text
        text = text.replace(before, after)
    (files / "dev.tfvars").write_text(text, encoding="utf-8")
    run = provisioning.ask()
    provisioning.work()
    provisioning.waiting_digest(run)

    with monkeypatch.context() as nobody:
        nobody.delenv("AWS_ACCESS_KEY_ID")
        nobody.delenv("AWS_SECRET_ACCESS_KEY")
        unverified = answer(str(run), "--yes", "--approver", "bob")
    boto3.client("iam").create_user(UserName="bob")
    key = boto3.client("iam").create_access_key(UserName="bob")["AccessKey"]
    with monkeypatch.context() as bob:
        bob.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        bob.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        verified = answer(str(run), "--yes", "--approver", "bob")
    provisioning.work()

    assert unverified.exit_code == 1
    assert "dev is protected, and its approver must be known to AWS" in unverified.output
    assert verified.exit_code == 0, verified.output
    assert provisioning.state(run).is_completed(), provisioning.state(run).message
    assert "by bob (arn:aws:iam::111122223333:user/bob)" in provisioning.page(run, "dev-provision-approval")
    assert word_in_state() == "first"

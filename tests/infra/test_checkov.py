"""checkov finds nothing in the Terraform code and in the plans of dev and prod but what is waived with a reason."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.environment import EnvironmentName
from tests.infra.checkov import Finding, Waiver, read_waivers, scan_code, scan_plan, unexplained, unused
from tests.plans import PlanFile

LOG = Finding("dev", "CKV_AWS_338", "module.cluster.aws_cloudwatch_log_group.control_plane")
WAIVED = Waiver(
    check=LOG.check,
    scans=("dev",),
    resources=("module.*.aws_cloudwatch_log_group.*",),
    reason="The file says how long; dev keeps them for 30 days.",
)


@pytest.mark.checkov
def test_every_finding_in_the_code_is_explained_and_every_waiver_used() -> None:
    findings, waivers = scan_code(), read_waivers()
    assert sorted(unexplained(findings, waivers)) == []
    assert sorted(unused(findings, waivers, ["code"])) == []


@pytest.mark.checkov
@pytest.mark.terraform
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_finding_in_a_plan_is_explained_and_every_waiver_used(plan_file: PlanFile, name: str) -> None:
    environment = EnvironmentName(name)
    assert environment is not EnvironmentName.LOCAL
    findings, waivers = scan_plan(environment.value, plan_file(environment)), read_waivers()
    assert sorted(unexplained(findings, waivers)) == []
    assert sorted(unused(findings, waivers, [environment.value])) == []


def test_a_finding_without_a_waiver_is_unexplained() -> None:
    elsewhere = Finding("prod", LOG.check, LOG.resource)
    other = Finding("dev", "CKV_AWS_158", LOG.resource)
    assert unexplained({LOG, elsewhere, other}, [WAIVED]) == {elsewhere, other}


def test_a_waiver_without_a_finding_is_unused() -> None:
    assert unused({LOG}, [WAIVED], ["dev"]) == set()
    assert unused(set(), [WAIVED], ["dev"]) == {Finding("dev", LOG.check, WAIVED.resources[0])}


@pytest.mark.parametrize("line", ["", "  reason: ok\n", "  reason: A reason that is long enough.\n  until: tomorrow\n"])
def test_a_waiver_needs_a_reason_and_nothing_else(tmp_path: Path, line: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(f"- check: CKV_AWS_338\n  scans: [dev]\n  resources: [a.b]\n{line}", encoding="utf-8")
    with pytest.raises(ValidationError):
        read_waivers(file)

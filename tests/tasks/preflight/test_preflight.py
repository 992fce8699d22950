"""Preflight of a whole account; quotas, EKS's offers and Bedrock are scripted, as no emulator has them."""

import pytest

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment, EnvironmentName
from tasks.preflight import NotReady, PreflightFinding, findings_page, preflight, require_ready
from tests.scripted_aws import ScriptedAws
from tests.tasks.preflight.conftest import CHAT_TYPES, found


def test_an_account_that_has_everything_is_ready(scripted: ScriptedAws, dev: Environment) -> None:
    findings = preflight.fn(dev)

    require_ready(findings)
    doubtful = {finding.check: finding.found for finding in findings if finding.severity != "ok"}
    assert doubtful.keys() == {"service-linked role of EC2 Spot"}
    assert {"account", "credentials", "VPCs", CHAT_TYPES, "add-on vpc-cni"} <= {finding.check for finding in findings}


def test_what_the_emulators_cannot_answer_is_not_proved_and_blocks_nothing(
    aws_environment: EmulatedAws, dev: Environment
) -> None:
    findings = found(dev)

    require_ready(list(findings.values()))
    for check in ("vCPU of GPU nodes", "Kubernetes version", "add-on coredns", "Bedrock model nova-pro"):
        assert findings[check].severity == "warning"
        assert findings[check].found.startswith("not proved: ")
        assert "<" not in findings[check].found, "an error page of HTML is no text for a person"
        assert "`aws " in findings[check].remedy


def test_preflight_changes_nothing(scripted: ScriptedAws, dev: Environment) -> None:
    preflight.fn(dev)

    assert {operation for _, operation, _ in scripted.calls} == {
        "GetServiceQuota",
        "DescribeClusterVersions",
        "DescribeAddonVersions",
        "GetInferenceProfile",
        "GetFoundationModelAvailability",
    }


def test_every_blocking_finding_is_named_with_its_remedy() -> None:
    findings = [
        PreflightFinding("VPCs", "blocked", "5 allowed, 5 used", "ask for more"),
        PreflightFinding("account", "ok", "yours"),
        PreflightFinding("zones", "blocked", "none", "choose others"),
    ]

    with pytest.raises(NotReady, match=r"2 of 3 .*\n- VPCs: 5 allowed, 5 used; ask for more\n- zones: none; choose"):
        require_ready(findings)
    page = findings_page(EnvironmentName.DEV, findings)
    assert page.startswith("# Preflight of dev: 2 blocked, 0 warning, 1 ok\n")
    assert "- **VPCs**: 5 allowed, 5 used\n  - what to do: ask for more\n" in page
    assert page.index("**VPCs**") < page.index("**zones**") < page.index("**account**")

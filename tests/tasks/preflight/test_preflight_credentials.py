"""Preflight with other credentials than it needs, and without an answer; the account is emulated."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment
from tasks.preflight import NotReady, preflight, require_ready
from tests.aws_faults import aws_with_faults
from tests.scripted_aws import ScriptedAws
from tests.tasks.preflight.conftest import (
    CHAT_TYPES,
    changed_dev,
    found,
)


def test_another_account_is_refused_with_both_quoted_and_asked_nothing_else(
    scripted: ScriptedAws, tmp_path: Path
) -> None:
    findings = preflight.fn(changed_dev(tmp_path, ("111122223333", "999988887777")))

    with pytest.raises(NotReady, match=r"account '111122223333', but environment.account_id = '999988887777'"):
        require_ready(findings)
    assert [finding.check for finding in findings] == ["credentials", "account"]
    assert scripted.calls == []


def test_without_credentials_nothing_is_asked(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    (finding,) = preflight.fn(dev)

    assert (finding.check, finding.severity, finding.found) == ("credentials", "blocked", "there are none")
    assert "aws sso login" in finding.remedy


@pytest.mark.parametrize(
    ("minutes", "severity", "text"),
    [(10, "blocked", "less than 15 minutes"), (40, "warning", "less than an hour"), (120, "ok", "longer than an hour")],
)
def test_credentials_must_outlive_an_apply(
    scripted: ScriptedAws,
    dev: Environment,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    severity: str,
    text: str,
) -> None:
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", expires.strftime("%Y-%m-%dT%H:%M:%SZ"))

    finding = found(dev)["credentials"]

    assert (finding.severity, text in finding.found) == (severity, True), finding


def test_temporary_keys_that_do_not_say_when_they_expire_are_not_proved(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")

    finding = found(dev)["credentials"]

    assert finding.severity == "warning"
    assert "not proved" in finding.found


def test_credentials_that_aws_refuses_stop_the_run(
    aws_environment: EmulatedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = {"service": "sts", "error": {"code": "ExpiredToken", "message": "it is over", "status": 403}}
    with aws_with_faults(aws_environment, [expired]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        findings = preflight.fn(dev)

    with pytest.raises(NotReady, match=r"account: .*'111122223333' is not proved: ExpiredToken: it is over"):
        require_ready(findings)


def test_a_call_that_is_denied_is_not_proved_and_names_the_permission(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.refuse("service-quotas", "GetServiceQuota", "AccessDeniedException")
    denied = {"code": "UnauthorizedOperation", "status": 403}
    rules = [{"service": "ec2", "operation": "DescribeInstanceTypeOfferings", "error": denied}]
    with aws_with_faults(EmulatedAws(os.environ["AWS_ENDPOINT_URL"], "111122223333", "us-east-1"), rules) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)
        findings = found(dev)

    assert findings["VPCs"].severity == findings[CHAT_TYPES].severity == "warning"
    assert "allow servicequotas:GetServiceQuota" in findings["VPCs"].remedy
    assert "allow ec2:DescribeInstanceTypeOfferings" in findings[CHAT_TYPES].remedy
    assert findings["availability zones"].severity == "ok"


def test_a_service_that_cannot_be_reached_is_not_proved(
    scripted: ScriptedAws, dev: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", "http://127.0.0.1:9")

    finding = found(dev)["Bedrock model nova-pro"]

    assert finding.severity == "warning"
    assert finding.remedy == "let the flow reach http://127.0.0.1:9"

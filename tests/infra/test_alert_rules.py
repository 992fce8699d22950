"""The alert rules, judged by Prometheus's own promtool: each alert fires when it should, and is silent otherwise."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tasks.environment import REPOSITORY

RUNBOOKS = REPOSITORY / "docs" / "operations.md"
RULES = REPOSITORY / "infra" / "modules" / "observability" / "rules"
TESTS = Path(__file__).parent / "alerts"
FILES = sorted(path.name for path in RULES.glob("*.yaml"))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts_of(file: str) -> set[str]:
    groups = cast(list[dict[str, Any]], yaml.safe_load((RULES / file).read_text(encoding="utf-8"))["groups"])
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def expectations_of(file: str) -> list[dict[str, Any]]:
    tests = cast(list[dict[str, Any]], yaml.safe_load((TESTS / file).read_text(encoding="utf-8"))["tests"])
    return [expectation for test in tests for expectation in test["alert_rule_test"]]


@pytest.mark.promtool
@pytest.mark.parametrize("file", FILES)
def test_alerts_fire_when_they_should(file: str, tmp_path: Path) -> None:
    shutil.copy(RULES / file, tmp_path / file)
    # Beside the rules, since a test names them by a path relative to itself.
    test = tmp_path / "tests.yaml"
    shutil.copy(TESTS / file, test)
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(tmp_path / file))
    assert "SUCCESS" in promtool("test", "rules", str(test))


@pytest.mark.parametrize("file", FILES)
def test_every_alert_is_seen_to_fire_and_to_be_silent(file: str) -> None:
    expected = expectations_of(file)
    fires = {each["alertname"] for each in expected if each.get("exp_alerts")}
    silent = {each["alertname"] for each in expected if not each.get("exp_alerts")}
    assert fires == silent == alerts_of(file)


def test_every_alert_says_how_urgent_it_is_and_no_name_is_given_twice() -> None:
    names = [name for file in FILES for name in sorted(alerts_of(file))]
    assert len(names) == len(set(names))
    for file in FILES:
        groups = cast(list[dict[str, Any]], yaml.safe_load((RULES / file).read_text(encoding="utf-8"))["groups"])
        for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"]


@pytest.mark.parametrize("file", FILES)
def test_every_alert_has_a_runbook(file: str) -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    assert {name for name in alerts_of(file) if f"`{name}`" not in text} == set()


def test_runbooks_refer_to_headings_that_exist() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    headings = set(re.findall("^## (.+)$", text, re.MULTILINE))
    assert set(re.findall('see "([^"]+)"', text)) - headings == set()

"""checkov over the Terraform code and the plans, and the reviewed waivers of what it finds."""

import fnmatch
import json
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tasks.environment import REPOSITORY
from tests.terraform import INFRA

PROGRAM = REPOSITORY / ".venv-checkov" / "bin" / "checkov"
WAIVERS = INFRA / "checkov-waivers.yaml"
WITHIN_SECONDS = 280
Scan = Literal["code", "dev", "prod"]


@dataclass(frozen=True, order=True)
class Finding:
    """A check that failed; `resource` is the address without indices."""

    scan: Scan
    check: str
    resource: str


class Waiver(BaseModel):
    """A check that may fail in some scans on some resources (`*` stands for any part), and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    scans: Annotated[tuple[Scan, ...], Field(min_length=1)]
    resources: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: Annotated[str, Field(min_length=20)]

    def explained(self, scan: Scan, resource: str, findings: Iterable[Finding]) -> set[Finding]:
        """The findings that one scan and resource of the waiver are about."""
        return {
            finding
            for finding in findings
            if (finding.scan, finding.check) == (scan, self.check) and fnmatch.fnmatchcase(finding.resource, resource)
        }


def read_waivers(file: Path = WAIVERS) -> tuple[Waiver, ...]:
    return TypeAdapter(tuple[Waiver, ...]).validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))


def scan_code() -> set[Finding]:
    """What checkov finds in the modules as they are written."""
    return _scan("code", "--framework", "terraform", "--directory", str(INFRA), "--skip-path", "tests")


def scan_plan(environment: Literal["dev", "prod"], plan: Path) -> set[Finding]:
    """What checkov finds in a plan as JSON."""
    return _scan(environment, "--framework", "terraform_plan", "--file", str(plan))


def _scan(scan: Scan, *arguments: str) -> set[Finding]:
    done = subprocess.run(
        [str(PROGRAM), *arguments, "--skip-download", "--quiet", "--compact", "--soft-fail", "--output", "json"],
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
        # It would look for a newer version of itself.
        env={**os.environ, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    summary = report["summary"]
    assert summary["parsing_errors"] == 0, report
    assert summary["passed"] > 100, summary
    return {
        Finding(scan, failed["check_id"], re.sub(r'\[(\d+|"[^"]*")\]', "", failed["resource"]))
        for failed in report["results"]["failed_checks"]
    }


def unexplained(findings: set[Finding], waivers: Iterable[Waiver]) -> set[Finding]:
    """The findings that no waiver is about."""
    explained = [
        waiver.explained(scan, resource, findings)
        for waiver in waivers
        for scan in waiver.scans
        for resource in waiver.resources
    ]
    return findings - set().union(*explained)


def unused(findings: set[Finding], waivers: Iterable[Waiver], scans: Iterable[Scan]) -> set[Finding]:
    """What waivers are about in these scans, but checkov no longer finds."""
    return {
        Finding(scan, waiver.check, resource)
        for waiver in waivers
        for scan in waiver.scans
        if scan in set(scans)
        for resource in waiver.resources
        if not waiver.explained(scan, resource, findings)
    }

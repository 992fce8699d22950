"""What preflight says of one thing that it looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.environment import EnvironmentName

Severity = Literal["blocked", "warning", "ok"]
HEADINGS: Mapping[Severity, str] = {
    "blocked": "In the way: nothing is planned before these are put right",
    "warning": "To look at, or not proved",
    "ok": "In order",
}


@dataclass(frozen=True)
class PreflightFinding:
    """One thing that was looked at: what was found, and what to do about it (empty where nothing is to be done).

    `warning` also stands for what could not be asked, so is not proved; only `blocked` stops a run.
    """

    check: str
    severity: Severity
    found: str
    remedy: str = ""


class NotReady(Exception):
    """The account or the environment file lacks something that the environment needs: says what, and the remedy."""


def require_ready(findings: Sequence[PreflightFinding]) -> None:
    """Stop when a finding blocks.

    Raises:
        NotReady: names every blocking finding with its remedy.
    """
    blocked = [finding for finding in findings if finding.severity == "blocked"]
    if blocked:
        lines = "".join(f"\n- {finding.check}: {finding.found}; {finding.remedy}" for finding in blocked)
        raise NotReady(
            f"{len(blocked)} of {len(findings)} preflight checks stand in the way; nothing was changed:{lines}"
        )


def findings_page(environment: EnvironmentName, findings: Sequence[PreflightFinding]) -> str:
    """The findings as a page of markdown: what blocks first, then warnings, each with its remedy, then the rest."""
    by_severity: dict[Severity, list[PreflightFinding]] = {
        severity: [each for each in findings if each.severity == severity] for severity in HEADINGS
    }
    counts = ", ".join(f"{len(found)} {severity}" for severity, found in by_severity.items())
    page = [f"# Preflight of {environment.value}: {counts}"]
    for severity, found in by_severity.items():
        if found:
            page += ["", f"## {HEADINGS[severity]}", *(_item(each) for each in found)]
    return "\n".join(page)


def _item(finding: PreflightFinding) -> str:
    remedy = f"\n  - what to do: {finding.remedy}" if finding.remedy else ""
    return f"- **{finding.check}**: {finding.found}{remedy}"

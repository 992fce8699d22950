"""What preflight says of one thing that it looked at."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["ok", "warning", "blocked"]


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


def rows(findings: Sequence[PreflightFinding]) -> list[dict[str, str]]:
    """The findings as rows of a table: what blocks first, then warnings."""
    order: tuple[Severity, ...] = ("blocked", "warning", "ok")
    return [asdict(finding) for finding in sorted(findings, key=lambda finding: order.index(finding.severity))]

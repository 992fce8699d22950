"""What is said of an environment's secrets: everything but their values."""

from dataclasses import dataclass
from typing import Literal

from tasks.artifacts import publish_markdown
from tasks.environment import EnvironmentName
from tasks.runs.log import run_log
from tasks.secrets.inventory import Stage

# `absent`: Terraform has not made it; `missing`: it has no value.
State = Literal["generated", "renewed", "kept", "supplied", "not needed", "missing", "expired", "absent"]


class SecretsMissing(Exception):
    """Secrets have no value: says which, and the command or the run that gives them one."""


@dataclass(frozen=True)
class SecretLine:
    """One secret: what is the case, since how many days, which stage needs it, and what a person has to do.

    `has_former` says that the value before the present one is kept.
    """

    secret: str
    origin: Literal["generated", "person"]
    state: State
    needed_by: Stage | None
    days: int | None = None
    to_do: str = ""
    has_former: bool = False


@dataclass(frozen=True)
class SecretReport:
    """All secrets of an environment."""

    lines: tuple[SecretLine, ...]

    @property
    def renewed(self) -> frozenset[str]:
        """The names of those that have a new value in the place of an older one."""
        return frozenset(line.secret for line in self.lines if line.state == "renewed")

    @property
    def with_former(self) -> frozenset[str]:
        """The names of those that were renewed, by this run or by an earlier one."""
        return self.renewed | {line.secret for line in self.lines if line.has_former}

    @property
    def awaited(self) -> tuple[SecretLine, ...]:
        """Those that a person has to supply yet."""
        return tuple(line for line in self.lines if line.origin == "person" and line.state == "missing")

    def require_made(self) -> None:
        """Stop when Terraform has not made all secrets; what people have not supplied yet is no fault.

        Raises:
            SecretsMissing: names them.
        """
        _stop("there is no place for a value yet", [line for line in self.lines if line.state == "absent"])

    def require_values(self, why: str) -> None:
        """Stop when a secret has no value that is good; `why` begins the error.

        Raises:
            SecretsMissing: names them.
        """
        _stop(why, [line for line in self.lines if line.state in ("absent", "missing", "expired")])


def publish_report(environment: EnvironmentName, report: SecretReport) -> None:
    """Show the secrets of an environment, and warn of those that a person has to supply yet."""
    page = report_page(environment, report)
    publish_markdown(
        environment, "secrets", "values", page, "The secrets, and what a person has to do; never their values"
    )
    for line in report.awaited:
        run_log().warning("a person has to supply %r, which %s needs: %s", line.secret, line.needed_by, line.to_do)


def report_page(environment: EnvironmentName, report: SecretReport) -> str:
    """The secrets as a page of markdown; the commands of what is to be done can be copied."""
    page = [
        f"# The secrets of {environment.value}",
        "| secret | state | made by | needed by | days old |",
        "| --- | --- | --- | --- | ---: |",
    ]
    for line in report.lines:
        made_by = "a person" if line.origin == "person" else "the flow"
        days = "" if line.days is None else str(line.days)
        page.append(f"| `{line.secret}` | {line.state} | {made_by} | {line.needed_by or ''} | {days} |")
    to_do = [line for line in report.lines if line.to_do]
    if to_do:
        page += ["", "## What to do"]
    for line in to_do:
        page += ["", f"`{line.secret}`: {line.to_do}"] if line not in report.awaited else _supply(line)
    return "\n".join(page)


def _supply(line: SecretLine) -> list[str]:
    return ["", f"`{line.secret}` is supplied by a person; this asks for it:", "```", line.to_do, "```"]


def _stop(why: str, lines: list[SecretLine]) -> None:
    if lines:
        raise SecretsMissing(f"{why}:" + "".join(f"\n- {line.secret}: {line.to_do}" for line in lines))

"""What is said of an environment's secrets: everything but their values."""

from dataclasses import dataclass
from typing import Literal

from tasks.secrets.inventory import Stage

# `absent`: Terraform has not made it; `missing`: it has no value.
State = Literal["generated", "renewed", "kept", "supplied", "not needed", "missing", "expired", "absent"]


class SecretsMissing(Exception):
    """Secrets have no value: says which, and the command or the run that gives them one."""


@dataclass(frozen=True)
class SecretLine:
    """One secret: what is the case, since how many days, which stage needs it, and what a person has to do."""

    secret: str
    origin: Literal["generated", "person"]
    state: State
    needed_by: Stage | None
    days: int | None = None
    to_do: str = ""


@dataclass(frozen=True)
class SecretReport:
    """All secrets of an environment."""

    lines: tuple[SecretLine, ...]

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


def _stop(why: str, lines: list[SecretLine]) -> None:
    if lines:
        raise SecretsMissing(f"{why}:" + "".join(f"\n- {line.secret}: {line.to_do}" for line in lines))

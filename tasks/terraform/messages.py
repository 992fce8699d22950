"""The lines of `terraform plan -json` and `terraform apply -json`.

Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.runs.log import Log

_LEVELS = {"trace": 10, "debug": 10, "info": 20, "warn": 30, "error": 40}


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    level: str = Field(alias="@level")
    message: str = Field(alias="@message")
    type: str = ""
    diagnostic: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    hook: dict[str, Any] = {}


@dataclass
class MessageStream:
    """Takes the lines of one command: logs what a person wants to read, keeps the errors, counts resources.

    A change counts once it is done; replacing counts as two, because terraform destroys and creates.
    """

    log: Log
    mask: Callable[[str], str]
    on_progress: Callable[[int, int], None] | None = None
    total: int = 0
    errors: list[str] = field(default_factory=list[str])
    done: int = 0

    def take(self, line: str) -> None:
        """Read one line. What is no JSON, such as a crash of terraform itself, is logged as it is."""
        if not line.strip():
            return
        try:
            message = _Message.model_validate_json(line)
        except ValidationError:
            self.errors.append(line)
            self.log.warning("%s", self.mask(line))
            return
        match message.type:
            case "diagnostic":
                self._diagnostic(message)
            # The plan was said when it was made; values of outputs are none of the log's business.
            case "outputs" | "version" | "refresh_start" | "refresh_complete" | "log":
                return
            case "planned_change" | "resource_drift" if self.on_progress is not None:
                return
            case "apply_complete":
                self.done += 1
                self._say(message)
                if self.on_progress is not None:
                    self.on_progress(self.done, self.total)
            case _:
                self._say(message)

    def _say(self, message: _Message) -> None:
        self.log.log(_LEVELS.get(message.level, 20), "%s", self.mask(message.message))

    def _diagnostic(self, message: _Message) -> None:
        diagnostic = message.diagnostic
        where = f" ({place})" if (place := diagnostic.get("address") or _line(diagnostic)) else ""
        detail = f": {diagnostic['detail']}" if diagnostic.get("detail") else ""
        text = self.mask(f"{diagnostic.get('summary', message.message)}{where}{detail}")
        if diagnostic.get("severity") == "error":
            self.errors.append(text)
        self.log.log(_LEVELS.get(message.level, 20), "%s", text)


def _line(diagnostic: dict[str, Any]) -> str:
    place = diagnostic.get("range")
    return f"{place['filename']}:{place['start']['line']}" if place else ""

"""Reports as JSON files, one a run, whatever they are about."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.knowledge.store.replaced_file import replace_file
from tasks.runs.log import run_log


class Kept(BaseModel):
    """A part of a report."""

    # JSON has no NaN: pydantic writes null for it, and the report could not be read again.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KeptReport(Kept):
    """A report of a run that was over at `created_at`; its scores are on their way to Langfuse while it is `unsent`."""

    created_at: datetime
    unsent: bool = False

    @property
    def file_name(self) -> str:
        """Under which it is kept; names sort by time."""
        return f"{self.created_at:%Y%m%dT%H%M%S.%fZ}.json"


Shape = TypeVar("Shape", bound=KeptReport)


def write_report(directory: Path, report: KeptReport) -> Path:
    """Keep the report as `<directory>/<time>.json`; whoever reads the directory sees the whole file or none."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / report.file_name
    replace_file(path, report.model_dump_json(indent=1).encode())
    return path


def read_reports(directory: Path, shape: type[Shape]) -> list[Shape]:
    """All kept reports, newest first; see `readable_reports`."""
    files = sorted(directory.glob("*.json"), reverse=True)
    return readable_reports(((str(path), path.read_bytes()) for path in files), shape)


def readable_reports(files: Iterable[tuple[str, bytes]], shape: type[Shape]) -> list[Shape]:
    """The reports in these files (where each lies, and its content), in their order.

    Those of a version that kept other fields are passed over, and named in the log: nothing is compared with them.
    """
    reports: list[Shape] = []
    for place, content in files:
        try:
            reports.append(shape.model_validate_json(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            run_log().warning("the report %s was passed over, it cannot be read: %s: %s", place, where, first["msg"])
    return reports

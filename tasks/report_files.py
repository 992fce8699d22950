"""Reports as JSON files, one a run, whatever they are about."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.knowledge.store.replaced_file import replace_file


class Kept(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptReport(Kept):
    """A report of a run that was over at `created_at`."""

    created_at: datetime

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
    """All kept reports, newest first; those of a version that kept other fields are passed over."""
    return readable_reports((path.read_bytes() for path in sorted(directory.glob("*.json"), reverse=True)), shape)


def readable_reports(contents: Iterable[bytes], shape: type[Shape]) -> list[Shape]:
    """The reports in these files, in their order; those of a version that kept other fields are passed over."""
    reports: list[Shape] = []
    for content in contents:
        try:
            reports.append(shape.model_validate_json(content))
        except ValidationError:
            continue
    return reports

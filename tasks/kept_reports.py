"""Where the reports of an environment's evaluations are kept: in a directory, or in a bucket."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol

from tasks.aws_session import explained_credentials
from tasks.data_directory import data_directory
from tasks.environment import Environment
from tasks.report_files import Shape, read_reports, readable_reports, write_report

FOLDER = "evaluations"
TRACES = "traces"
"""Below `FOLDER`: what was measured on people's questions."""
MOST_READ = 30
"""Reports of the bucket, the newest ones: one is compared with, one may be used again, and all show the trend."""


def reports_directory(environment: Environment) -> Path:
    """Where the reports of a laptop's evaluations are kept."""
    return data_directory(environment) / FOLDER


class Reports(Protocol[Shape]):
    """Keeps reports of one shape."""

    def read(self) -> list[Shape]:
        """The kept reports, newest first; those of a version that kept other fields are passed over."""
        ...

    def write(self, report: Shape) -> None:
        """Keep one more."""
        ...


@dataclass(frozen=True)
class DirectoryReports(Generic[Shape]):
    """Reports as files of `directory`."""

    directory: Path
    shape: type[Shape]

    def read(self) -> list[Shape]:
        """See `Reports`."""
        return read_reports(self.directory, self.shape)

    def write(self, report: Shape) -> None:
        """See `Reports`."""
        write_report(self.directory, report)


@dataclass(frozen=True)
class BucketReports(Generic[Shape]):
    """Reports as objects of an S3 bucket below `folder`, which `s3` reaches; both verbs raise ClientError."""

    s3: Any
    bucket: str
    folder: str
    shape: type[Shape]

    def read(self) -> list[Shape]:
        """See `Reports`."""
        with explained_credentials():
            listing = self.s3.get_paginator("list_objects_v2")
            # The delimiter keeps reports of folders below out of it.
            pages = listing.paginate(Bucket=self.bucket, Prefix=f"{self.folder}/", Delimiter="/")
            keys = sorted((found["Key"] for page in pages for found in page.get("Contents", ())), reverse=True)
            return readable_reports(
                (self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys[:MOST_READ]),
                self.shape,
            )

    def write(self, report: Shape) -> None:
        """See `Reports`."""
        with explained_credentials():
            self.s3.put_object(
                Bucket=self.bucket,
                Key=f"{self.folder}/{report.file_name}",
                Body=report.model_dump_json(indent=1).encode(),
                ContentType="application/json",
            )

"""Where the reports of an environment's evaluations are kept: in a directory, or in a bucket."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol

from tasks.aws_session import explained_credentials
from tasks.environment import Environment
from tasks.laptop.data_directory import data_directory
from tasks.report_files import KeptReport, Shape, read_reports, readable_reports, write_report

FOLDER = "evaluations"
TRACES = "traces"
"""Below `FOLDER`: what was measured on people's questions."""
MOST_READ = 30
"""Reports of the bucket, the newest ones: one may be used again, and all show the trend."""


def reports_directory(environment: Environment) -> Path:
    """Where the reports of a laptop's evaluations are kept."""
    return data_directory(environment) / FOLDER


def any_report(_: KeptReport) -> bool:
    """Whichever it is."""
    return True


class Reports(Protocol[Shape]):
    """Keeps reports of one shape."""

    def read(self, wanted: Callable[[Shape], bool] = any_report) -> list[Shape]:
        """The kept reports, newest first, at least back to the newest `wanted` one, if there is any.

        Those of a version that kept other fields are passed over.
        """
        ...

    def write(self, report: Shape) -> None:
        """Keep one more."""
        ...


@dataclass(frozen=True)
class DirectoryReports(Generic[Shape]):
    """Reports as files of `directory`."""

    directory: Path
    shape: type[Shape]

    def read(self, wanted: Callable[[Shape], bool] = any_report) -> list[Shape]:
        """See `Reports`; reads all."""
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

    def read(self, wanted: Callable[[Shape], bool] = any_report) -> list[Shape]:
        """See `Reports`; reads the newest `MOST_READ`, and older ones only where none of these is `wanted`."""
        with explained_credentials():
            listing = self.s3.get_paginator("list_objects_v2")
            # The delimiter keeps reports of folders below out of it.
            pages = listing.paginate(Bucket=self.bucket, Prefix=f"{self.folder}/", Delimiter="/")
            keys = sorted((found["Key"] for page in pages for found in page.get("Contents", ())), reverse=True)
            files = (
                (f"s3://{self.bucket}/{key}", self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
                for key in keys
            )
            reports = readable_reports(islice(files, MOST_READ), self.shape)
            for older in files if not any(map(wanted, reports)) else ():
                reports += readable_reports([older], self.shape)
                if any(map(wanted, reports[-1:])):
                    break
            return reports

    def write(self, report: Shape) -> None:
        """See `Reports`."""
        with explained_credentials():
            self.s3.put_object(
                Bucket=self.bucket,
                Key=f"{self.folder}/{report.file_name}",
                Body=report.model_dump_json(indent=1).encode(),
                ContentType="application/json",
            )

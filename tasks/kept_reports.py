"""Where the reports of an environment's evaluations are kept: in a directory, or in a bucket."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tasks.aws_session import explained_credentials
from tasks.data_directory import data_directory
from tasks.environment import Environment
from tasks.evaluation_report import Report, read_reports, readable_reports, write_report

FOLDER = "evaluations"
MOST_READ = 30
"""Reports of the bucket, the newest ones: one is compared with, one may be used again, and all show the trend."""


def reports_directory(environment: Environment) -> Path:
    """Where the reports of a laptop's evaluations are kept."""
    return data_directory(environment) / FOLDER


class Reports(Protocol):
    """Keeps reports."""

    def read(self) -> list[Report]:
        """The kept reports, newest first; those of a version that kept other fields are passed over."""
        ...

    def write(self, report: Report) -> None:
        """Keep one more."""
        ...


@dataclass(frozen=True)
class DirectoryReports:
    """Reports as files of `directory`."""

    directory: Path

    def read(self) -> list[Report]:
        """See `Reports`."""
        return read_reports(self.directory)

    def write(self, report: Report) -> None:
        """See `Reports`."""
        write_report(self.directory, report)


@dataclass(frozen=True)
class BucketReports:
    """Reports as objects of an S3 bucket, which `s3` reaches; both verbs raise ClientError when it refuses."""

    s3: Any
    bucket: str

    def read(self) -> list[Report]:
        """See `Reports`."""
        with explained_credentials():
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{FOLDER}/")
            keys = sorted((found["Key"] for page in pages for found in page.get("Contents", ())), reverse=True)
            return readable_reports(
                self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys[:MOST_READ]
            )

    def write(self, report: Report) -> None:
        """See `Reports`."""
        with explained_credentials():
            self.s3.put_object(
                Bucket=self.bucket,
                Key=f"{FOLDER}/{report.file_name}",
                Body=report.model_dump_json(indent=1).encode(),
                ContentType="application/json",
            )

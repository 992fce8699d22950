"""Reports in a bucket: however many failed since, the last good one is found. AWS is emulated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tasks.evaluation.gate import comparable, is_comparable
from tasks.evaluation.kept_reports import FOLDER, MOST_READ, BucketReports
from tasks.evaluation.report import Inputs, Report

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUCKET = "agentic-eks-reports"


@pytest.fixture
def reports() -> Iterator[BucketReports[Report]]:
    aws = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    url = f"http://{host}:{port}"
    # What it knows is the process's, so also what an earlier test made.
    httpx.post(f"{url}/moto-api/reset", timeout=60).raise_for_status()
    made = boto3.client(
        "s3", region_name="us-east-1", endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
    )
    with closing(made) as s3:
        s3.create_bucket(Bucket=BUCKET)
        yield BucketReports(s3, BUCKET, FOLDER, Report)
    aws.stop()


def report(days: int, *refused: str, golden: str = "g") -> Report:
    return Report(
        created_at=NOON + timedelta(days=days),
        environment="dev",
        generation="g1",
        inputs=Inputs(golden=golden, knowledge="k", service="s", models={}, settings={}),
        scores={"mrr": 0.9},
        rows=(),
        seconds=1,
        refused=refused,
    )


def test_the_last_good_report_is_found_behind_more_failed_ones_than_a_trend_shows(
    reports: BucketReports[Report],
) -> None:
    older, good, other = report(0), report(1), report(3, golden="other")
    failed = [report(10 + day, "mrr fell") for day in range(MOST_READ + 3)]
    now = report(100)
    for each in (older, good, other, *failed):
        reports.write(each)

    assert reports.read() == failed[: -MOST_READ - 1 : -1], "no more than a trend shows, newest first"
    assert comparable(now, reports.read(partial(is_comparable, now))) == [good]
    nothing = report(100, golden="new")
    assert comparable(nothing, reports.read(partial(is_comparable, nothing))) == []

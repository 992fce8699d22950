"""Whatever happens at a commit point of an evaluation, running it again ends with one whole report, which is shown."""

import json
import shutil

import pytest
from prefect.client.orchestration import get_client

from tasks.evaluation.kept_reports import DirectoryReports, reports_directory
from tasks.evaluation.report import Report
from tests.artifacts import newest_artifact
from tests.crash.evaluation_points import EVALUATION_POINTS
from tests.crash.faults import Case, Fault
from tests.crash.served_laptop import ServedLaptop

pytestmark = [pytest.mark.prefect_server, pytest.mark.platform, pytest.mark.timeout(1800)]

NAMES = [point.name for point in EVALUATION_POINTS]
WRITTEN_AT = NAMES.index("report")


def test_an_evaluation_converges_after_a_fault(served_laptop: ServedLaptop, evaluation_case: Case) -> None:
    directory = reports_directory(served_laptop.service.settings)
    reports = DirectoryReports(directory, Report)
    shutil.rmtree(directory, ignore_errors=True)

    code, output = served_laptop.evaluate(evaluation_case)
    assert (code == 0) == (evaluation_case.fault is Fault.SLOW), output
    before = reports.read()
    assert len(before) == was_written(evaluation_case)

    code, output = served_laptop.evaluate()
    assert code == 0, output

    (report,) = reports.read()
    assert before in ([], [report]), "what was measured has been measured again"
    assert report.scores["recall_at_5"] == 1
    assert report.answered == 1
    assert shown_scores() == report.scores


def was_written(case: Case) -> bool:
    """Whether the run that met the fault left its report."""
    position = NAMES.index(case.point.name)
    after = case.fault in (Fault.KILLED_AFTER, Fault.DONE_BUT_TIMED_OUT, Fault.SLOW)
    return position > WRITTEN_AT or case.fault is Fault.SLOW or (position == WRITTEN_AT and after)


def shown_scores() -> dict[str, float]:
    """The newest table of scores in Prefect's UI."""
    with get_client(sync_client=True) as client:
        rows = json.loads(newest_artifact(client, "local-evaluation-scores"))
    return {row["metric"]: row["value"] for row in rows}

"""Reports are kept whole, compared by their inputs, and reused only when nothing changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.evaluation.report import (
    AnswerRow,
    Inputs,
    Judging,
    QuestionRow,
    Report,
    reusable,
    tree_digest,
)
from tasks.report_files import read_reports, write_report

INPUTS = Inputs(golden="g", knowledge="k", service="s", models={"m": "1"}, settings={"agents": {"passages": 5}})
ANSWER = AnswerRow(kind="answered", text="Yes.", groundedness=1, similarity=0.9, rouge_l=0.5, seconds=4.2)
JUDGED = Judging(model="nova", tokens=9, halted=False, labelled=3, kappa=1, interval=None)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(number: int, answered: bool) -> QuestionRow:
    return QuestionRow(
        id=f"a{number}",
        kind="answerable",
        question="Is it?",
        relevancy=0.8,
        abstained=False,
        ranks=(1, None),
        context_precision=1,
        context_recall=0.5,
        answer=ANSWER if answered else None,
    )


def report(created_at: datetime, answered: int = 1, inputs: Inputs = INPUTS) -> Report:
    return Report(
        created_at=created_at,
        environment="local",
        generation="g1",
        inputs=inputs,
        scores={"mrr": 1.0},
        rows=tuple(row(number, number < answered) for number in range(3)),
        seconds=12.5,
    )


def test_reports_come_back_as_they_were_newest_first(tmp_path: Path) -> None:
    older, newer = report(NOON), report(NOON + timedelta(seconds=1))
    for kept in (older, newer):
        write_report(tmp_path / "evaluations", kept)
    assert read_reports(tmp_path / "evaluations", Report) == [newer, older]


def test_there_are_no_reports_before_the_first_run(tmp_path: Path) -> None:
    assert read_reports(tmp_path / "evaluations", Report) == []


def test_an_unfinished_file_and_a_report_of_another_version_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_report(tmp_path, report(NOON))
    other = tmp_path / "20270101T000000Z.json"
    other.write_text('{"scores": {}}')
    (tmp_path / ".scratch").write_text("{")
    assert read_reports(tmp_path, Report) == [report(NOON)]
    assert caplog.messages == [f"the report {other} was passed over, it cannot be read: created_at: Field required"]


def test_what_is_no_number_is_never_kept_for_it_could_not_be_read_again() -> None:
    kept = report(NOON)
    with pytest.raises(ValidationError, match=r"scores\.mrr\n.*finite number"):
        Report.model_validate({**kept.model_dump(), "scores": {"mrr": float("nan")}})


def test_a_report_is_reused_only_for_the_same_inputs_and_enough_answers() -> None:
    few, many = report(NOON, answered=1), report(NOON, answered=3)
    assert reusable([few, many], INPUTS, 1) == few
    assert reusable([few, many], INPUTS, 2) == many
    assert reusable([few], INPUTS, 2) is None
    assert reusable([few], INPUTS.model_copy(update={"knowledge": "other"}), 1) is None


def test_a_report_that_lacks_what_another_run_may_get_is_not_reused() -> None:
    good = report(NOON).model_copy(update={"judging": JUDGED})
    refused = {"judging": JUDGED, "rows": (row(0, True).model_copy(update={"unjudged": {"faithfulness": "refused"}}),)}
    unsearched = {"ranks": (), "abstained": None, "unsearched": "no answer"}
    for lacking in (
        refused,
        {"rows": (row(0, True), row(1, False).model_copy(update=unsearched))},
        {"judging": JUDGED.model_copy(update={"halted": True})},
        {"judging": JUDGED.model_copy(update={"labelled": 0, "kappa": None})},
        {"judging": JUDGED.model_copy(update={"labelled": 2, "unlabelled": 1})},
    ):
        assert reusable([good.model_copy(update=lacking), good], INPUTS, 1) is good, lacking


def test_the_digest_of_a_tree_follows_paths_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "notes.txt").write_text("1")
    before = tree_digest(tmp_path, "*.py")
    (tmp_path / "notes.txt").write_text("2")
    assert tree_digest(tmp_path, "*.py") == before
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    renamed = tree_digest(tmp_path, "*.py")
    (tmp_path / "b.py").write_text("2")
    assert len({before, renamed, tree_digest(tmp_path, "*.py")}) == 3


def test_a_report_says_what_is_not_as_it_was_in_another() -> None:
    later = INPUTS.model_copy(
        update={"knowledge": "k2", "models": {"m": "1", "judge": "2"}, "settings": {"agents": {"passages": 6}}}
    )
    assert INPUTS.changed_since(INPUTS) == []
    assert later.changed_since(INPUTS) == ["knowledge", "models.judge", "settings.agents"]
    assert INPUTS.changed_since(later) == later.changed_since(INPUTS)

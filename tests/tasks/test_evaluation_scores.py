"""Rows and metrics worked out by hand, and what the Prefect UI and a failed run say of them."""

from datetime import UTC, datetime

import pytest

from tasks.assistant_api import AskAnswer, FoundChunk, FoundPassage, SearchAnswer, TimedAnswer
from tasks.environment.quality import Evaluation, Metric, Share
from tasks.evaluation_artifacts import score_table
from tasks.evaluation_gate import DemandsMissed, failing, missed, require_demands, worst_rows
from tasks.evaluation_report import Inputs, QuestionRow, Report
from tasks.evaluation_scores import metric_intervals, metric_values, question_rows, spread
from tasks.golden import Evidence, GoldenQuestion
from tasks.score_plot import plot_scores
from tasks.trend_plot import plot_trend

FACT = "A generation is an immutable index of the knowledge base."
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
METRICS: tuple[Metric, ...] = ("recall_at_5", "mrr", "abstention_accuracy", "context_recall", "rouge_l", "groundedness")


def question(identity: str, quote: str | None) -> GoldenQuestion:
    evidence = () if quote is None else (Evidence(document="a.md", quote=quote),)
    kind = "unanswerable" if quote is None else "answerable"
    return GoldenQuestion(id=identity, kind=kind, question=f"{identity}?", reference=FACT, evidence=evidence)


def search(relevancy: float, *texts: str, path: str = "a.md") -> SearchAnswer:
    passages = tuple(FoundPassage(chunk=FoundChunk(path=path, text=text)) for text in texts)
    return SearchAnswer(relevancy=relevancy, passages=passages)


def answer(text: str, groundedness: float | None = 1.0) -> TimedAnswer:
    return TimedAnswer(said=AskAnswer(kind="answered", answer=text, groundedness=groundedness), seconds=4)


def demands(thresholds: dict[Metric, Share], most_worse: float | None = None) -> Evaluation:
    return Evaluation(
        dataset="q", metrics=METRICS, thresholds=thresholds, answers_in_lifecycle=0, most_worse=most_worse
    )


def measured(rows: tuple[QuestionRow, ...], scores: dict[Metric, float]) -> Report:
    inputs = Inputs(golden="g", knowledge="k", service="s", models={}, settings={})
    return Report(
        created_at=NOON, environment="dev", generation="g1", inputs=inputs, scores=scores, rows=rows, seconds=1
    )


@pytest.fixture(scope="module")
def rows() -> tuple[QuestionRow, ...]:
    questions = [question("found", FACT), question("late", FACT), question("lost", FACT), question("unknown", None)]
    other = "Nothing of the kind is written here."
    searched = [search(0.9, FACT), search(0.6, other, FACT), search(0.1, other), search(0.7, other)]
    asked = {"found": answer(FACT), "unknown": answer("Berlin.", None)}
    return question_rows.fn(
        questions,
        searched,
        asked,
        stored={},
        relevancy_threshold=0.5,
        passages=1,
        embed=lambda text: [1.0, float(len(text))],
    )


def test_rows_say_where_evidence_was_found_and_what_was_decided(rows: tuple[QuestionRow, ...]) -> None:
    assert [row.ranks for row in rows] == [(1,), (2,), (None,), ()]
    assert [row.abstained for row in rows] == [False, False, True, False]
    assert [row.context_recall for row in rows] == [1, 0, 0, None]


def test_evidence_in_a_copy_is_found_under_the_document_that_holds_its_passages() -> None:
    (row,) = question_rows.fn(
        [question("copied", FACT)],
        [search(0.9, FACT, path="0.md")],
        {},
        stored={"a.md": "0.md"},
        relevancy_threshold=0.5,
        passages=1,
        embed=lambda text: [1.0],
    )
    assert row.ranks == (1,)


def test_only_answerable_questions_are_compared_with_their_reference(rows: tuple[QuestionRow, ...]) -> None:
    found, unknown = rows[0].answer, rows[3].answer
    assert found is not None
    assert unknown is not None
    assert found.similarity == pytest.approx(1)
    assert (unknown.similarity, unknown.rouge_l, unknown.groundedness) == (None, None, None)


def test_metrics_are_means_over_the_questions_that_they_are_defined_for(rows: tuple[QuestionRow, ...]) -> None:
    values = metric_values(rows, METRICS)
    assert values == {
        "recall_at_5": 0.6667,
        "mrr": 0.5,
        "abstention_accuracy": 0.3333,
        "context_recall": 0.3333,
        "rouge_l": 1.0,
        "groundedness": 1.0,
    }


def test_an_undefined_metric_is_left_out(rows: tuple[QuestionRow, ...]) -> None:
    assert metric_values(rows[1:3], METRICS).keys() == {"recall_at_5", "mrr", "context_recall"}


def test_wrong_rows_come_worst_first_and_say_why(rows: tuple[QuestionRow, ...]) -> None:
    worst = worst_rows(rows)
    assert [row.id for row in worst] == ["unknown", "lost"]
    assert failing(worst[0]) == "did not abstain at relevancy 0.700"
    assert failing(worst[1]) == "abstained at relevancy 0.100; 1 of 1 quotes not found"
    assert failing(rows[0]) == ""


def test_a_missed_threshold_lists_metric_value_threshold_and_worst_questions(rows: tuple[QuestionRow, ...]) -> None:
    report = measured(rows, {"mrr": 0.5, "rouge_l": 1.0})
    assert missed(report, demands({"mrr": 0.5, "groundedness": 0.9}), []) == ()
    refused = missed(report, demands({"mrr": 0.6}), [])
    with pytest.raises(DemandsMissed, match=r"mrr = 0\.500 is below its threshold 0\.600") as error:
        require_demands(report.model_copy(update={"refused": refused}), [])
    assert "'unknown?': did not abstain at relevancy 0.700" in str(error.value)


def test_the_table_compares_with_threshold_and_previous_run() -> None:
    report = measured((), {"mrr": 0.5, "rouge_l": 0.3}).model_copy(update={"intervals": {"mrr": (0.25, 0.75)}})
    mrr, rouge = score_table(report, {"mrr": 0.4}, demands({"mrr": 0.6}))
    assert mrr == {
        "metric": "mrr",
        "value": 0.5,
        "interval": "0.250 to 0.750",
        "threshold": 0.6,
        "previous": 0.4,
        "change": 0.1,
        "reached": "NO",
    }
    assert [rouge[key] for key in ("interval", "threshold", "previous", "change", "reached")] == [""] * 5


def test_an_interval_holds_the_value_and_is_the_same_again(rows: tuple[QuestionRow, ...]) -> None:
    values, intervals = metric_values(rows, METRICS), metric_intervals(rows, METRICS)
    assert intervals.keys() == values.keys()
    assert all(low <= values[metric] <= high for metric, (low, high) in intervals.items())
    assert metric_intervals(rows, METRICS) == intervals


def test_the_plot_is_a_png_also_without_thresholds_and_previous_run() -> None:
    for picture in (plot_scores({"mrr": 0.5}, {}, {}), plot_scores({"mrr": 0.5}, {"mrr": 0.6}, {"mrr": 0.4})):
        assert picture.startswith(b"\x89PNG\r\n")


def test_the_trend_is_a_png_of_those_metrics_that_were_measured() -> None:
    before = measured((), {"mrr": 0.5, "rouge_l": 0.9}).model_copy(update={"intervals": {"mrr": (0.25, 0.75)}})
    after = measured((), {"mrr": 0.4}).model_copy(update={"refused": ("mrr fell",)})
    one, both = plot_trend([after], demands({"mrr": 0.6})), plot_trend([before, after], demands({"mrr": 0.6}))
    assert both.startswith(b"\x89PNG\r\n")
    assert len(both) > len(one), "a panel more, and two points instead of one"


@pytest.mark.parametrize(
    ("wanted", "chosen"), [(0, ""), (2, "ac"), (3, "abc"), (4, "abcd"), (9, "abcd"), (None, "abcd")]
)
def test_the_questions_answered_in_full_are_spread_over_the_set(wanted: int | None, chosen: str) -> None:
    assert "".join(taken.id for taken in spread([question(name, FACT) for name in "abcd"], wanted)) == chosen

"""Rows and metrics worked out by hand, and what the Prefect UI and a failed run say of them."""

from datetime import UTC, datetime

import pytest

from tasks.agent_service.http_api import AskAnswer, FoundChunk, FoundPassage, NoAnswer, SearchAnswer, TimedAnswer
from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation, Metric, Share
from tasks.environment.variable_file import load_environment
from tasks.evaluation.artifacts import score_table
from tasks.evaluation.gate import DemandsMissed, failing, missed, require_demands, worst_rows
from tasks.evaluation.report import Inputs, QuestionRow, Report
from tasks.evaluation.score_plot import plot_scores
from tasks.evaluation.scores import metric_intervals, metric_values, question_rows
from tasks.evaluation.trend_plot import plot_trend
from tasks.gateway.embedding import gateway_embedding
from tasks.golden.dataset import Evidence, GoldenQuestion, spread
from tests.agents.scripted_gateway import ScriptedGateway

FACT = "A generation is an immutable index of the knowledge base."
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
METRICS: tuple[Metric, ...] = ("recall_at_5", "mrr", "abstention_accuracy", "context_recall", "rouge_l", "groundedness")


def question(identity: str, quote: str | None) -> GoldenQuestion:
    evidence = () if quote is None else (Evidence(document="a.md", quote=quote),)
    kind = "unanswerable" if quote is None else "answerable"
    return GoldenQuestion(id=identity, kind=kind, question=f"{identity}?", reference=FACT, evidence=evidence)


def search(relevancy: float, *texts: str, path: str = "a.md") -> SearchAnswer:
    passages = tuple(FoundPassage(chunk=FoundChunk(path=path, text=text)) for text in texts)
    return SearchAnswer(generation="g1", relevancy=relevancy, passages=passages)


def answer(text: str, groundedness: float | None = 1.0) -> TimedAnswer:
    return TimedAnswer(
        said=AskAnswer(generation="g1", kind="answered", answer=text, groundedness=groundedness), seconds=4
    )


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


def test_what_is_no_number_and_what_was_not_answered_is_missing_and_bounded() -> None:
    names = [f"a{number}" for number in range(4)]
    asked = {name: answer(FACT) for name in names[:3]} | {"a3": NoAnswer("POST /v1/ask was refused: 500")}
    rows = question_rows.fn(
        [question(name, FACT) for name in names],
        [search(0.9, FACT)] * 4,
        {**asked, "a0": answer("Without a direction.")},
        stored={},
        relevancy_threshold=0.5,
        passages=1,
        embed=lambda text: [float("nan"), 0.0] if text.startswith("Without") else [1.0, 0.0],
    )
    metrics: tuple[Metric, ...] = ("mrr", "answer_similarity", "rouge_l", "groundedness")
    report = measured(rows, metric_values(rows, metrics))

    assert [row.missing.keys() for row in rows] == [{"answer_similarity"}, set(), set(), rows[3].missing.keys()]
    assert rows[3].missing.keys() >= {"answer_similarity", "rouge_l", "groundedness"}
    assert report.scores["answer_similarity"] == 1, "what is missing is no part of a mean"
    (row,) = (row for row in score_table(report, {}, demands({})) if row["metric"] == "answer_similarity")
    assert row["missing"] == "2 of 4"
    assert failing(rows[3]) == "not answered: POST /v1/ask was refused: 500"
    strict = demands({}).model_copy(update={"metrics": metrics, "judge_failures": 0.25})
    (reason,) = missed(report, strict, [])
    assert reason.startswith("answer_similarity: 2 of 4 scores are missing, above the allowed share 0.25; first")
    assert missed(report, strict.model_copy(update={"judge_failures": 0.5}), []) == ()


def test_an_answer_without_a_vector_misses_its_similarity_and_the_evaluation_goes_on() -> None:
    gateway = ScriptedGateway(unembedded="Without a vector")
    gateway.start()
    names = [f"a{number}" for number in range(4)]
    models = load_environment(EnvironmentName.DEV).models
    try:
        with gateway_embedding(gateway.url.removesuffix("/v1"), "sk", models, models.embedding) as embed:
            rows = question_rows.fn(
                [question(name, FACT) for name in names],
                [search(0.9, FACT)] * 4,
                {name: answer(FACT) for name in names[:3]} | {"a3": answer("Without a vector.")},
                stored={},
                relevancy_threshold=0.5,
                passages=1,
                embed=embed,
            )
    finally:
        gateway.stop()
    metrics: tuple[Metric, ...] = ("answer_similarity", "rouge_l")
    report = measured(rows, metric_values(rows, metrics))
    assert rows[3].missing["answer_similarity"] == "the gateway refused with status 400"
    assert report.scores["answer_similarity"] == pytest.approx(1), "what is missing is no part of a mean"
    assert "rouge_l" in rows[3].scores, "it needs no vector"
    strict = demands({}).model_copy(update={"metrics": metrics, "judge_failures": 0.2})
    (reason,) = missed(report, strict, [])
    assert reason.startswith("answer_similarity: 1 of 4 scores are missing")
    assert missed(report, strict.model_copy(update={"judge_failures": 0.25}), []) == ()


def test_a_search_that_failed_is_a_missing_score_of_its_question_and_bounded() -> None:
    rows = question_rows.fn(
        [question("a0", FACT), question("a1", FACT), question("u0", None)],
        [search(0.9, FACT), NoAnswer("POST /v1/search was refused: 500"), search(0.1)],
        {"a1": answer(FACT)},
        stored={},
        relevancy_threshold=0.5,
        passages=1,
        embed=lambda text: [1.0, 0.0],
    )
    metrics: tuple[Metric, ...] = ("recall_at_5", "mrr", "abstention_accuracy", "context_recall", "answer_similarity")
    report = measured(rows, metric_values(rows, metrics))

    assert report.scores == dict.fromkeys(metrics, 1.0), "what is missing is no part of a mean"
    assert (report.searched, rows[1].ranks, failing(rows[1])) == (
        2,
        (),
        "not searched: POST /v1/search was refused: 500",
    )
    assert {row["metric"]: row["missing"] for row in score_table(report, {}, demands({}))} == {
        "recall_at_5": "1 of 2",
        "mrr": "1 of 2",
        "abstention_accuracy": "1 of 3",
        "context_recall": "1 of 2",
        "answer_similarity": "",
    }
    bounded = demands({}).model_copy(update={"metrics": metrics, "judge_failures": 0.4})
    assert [reason.partition(":")[0] for reason in missed(report, bounded, [])] == [
        "recall_at_5",
        "mrr",
        "context_recall",
    ]


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
        "missing": "",
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

"""What an evaluation is compared with, and how far a judge agrees with people."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.quality import JUDGED, Evaluation, Metric
from tasks.environment.variable_file import load_environment
from tasks.evaluation.gate import DemandsMissed, comparable, missed, require_demands
from tasks.evaluation.kappa import cohens_kappa
from tasks.evaluation.report import AnswerRow, Inputs, Judging, QuestionRow, Report

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEMANDS = Evaluation(
    dataset="q", metrics=("mrr", "rouge_l"), thresholds={"mrr": 0.5}, answers_in_lifecycle=0, most_worse=0.05
)
ANSWER = AnswerRow(kind="answered", text="Yes.", groundedness=1, similarity=1, rouge_l=1, seconds=1)


def report(
    hours: int, mrr: float, *, golden: str = "g", answered: bool = False, rank: int = 1, refused: tuple[str, ...] = ()
) -> Report:
    row = QuestionRow(
        id="a1",
        kind="answerable",
        question="Is it?",
        relevancy=0.9,
        abstained=False,
        ranks=(rank,),
        context_precision=None,
        context_recall=None,
        answer=ANSWER if answered else None,
    )
    return Report(
        created_at=NOON + timedelta(hours=hours),
        environment="dev",
        generation="g1",
        inputs=Inputs(golden=golden, knowledge="k", service="s", models={}, settings={}),
        scores={"mrr": mrr, "rouge_l": mrr},
        rows=(row,),
        seconds=1,
        refused=refused,
    )


def test_only_an_earlier_report_that_passed_over_the_same_questions_is_compared_with() -> None:
    good, refused = report(0, 0.9), report(1, 0.7, refused=("mrr fell",))
    others = [report(9, 0.9), report(4, 0.9, answered=True), report(3, 0.9, golden="other"), refused, good]
    assert comparable(report(5, 0.8), others) == [good]
    assert comparable(report(0, 0.8), [good]) == []


def test_a_fall_beyond_the_tolerance_is_refused_with_the_questions_that_went_wrong() -> None:
    before = report(0, 0.9)
    assert missed(report(1, 0.86), DEMANDS, [before]) == ()
    worse = report(1, 0.8, rank=7)
    refused = missed(worse, DEMANDS, [before])
    assert refused == ("mrr fell from 0.900 on 2026-01-01 12:00 UTC to 0.800, more than 0.05",)
    with pytest.raises(DemandsMissed, match=r"evidence only at rank 7 \(was right before\)"):
        require_demands(worse.model_copy(update={"refused": refused}), [before])


def test_over_other_questions_a_fall_counts_only_where_the_intervals_do_not_meet() -> None:
    before = report(0, 0.9).model_copy(update={"intervals": {"mrr": (0.85, 0.95)}})
    perhaps = report(1, 0.7).model_copy(update={"intervals": {"mrr": (0.5, 0.86)}})
    surely = report(1, 0.7).model_copy(update={"intervals": {"mrr": (0.6, 0.8)}})
    assert missed(perhaps, DEMANDS, [before], sampled=True) == ()
    assert len(missed(perhaps, DEMANDS, [before])) == 1
    assert len(missed(surely, DEMANDS, [before], sampled=True)) == 1


def test_a_metric_without_a_threshold_fails_by_a_fall_beyond_chance() -> None:
    demands = DEMANDS.model_copy(update={"metrics": ("rouge_l",), "thresholds": {}})
    before = report(0, 0.95).model_copy(update={"intervals": {"rouge_l": (0.9, 1.0)}})
    perhaps = report(1, 0.88).model_copy(update={"intervals": {"rouge_l": (0.8, 0.95)}})
    surely = report(1, 0.3).model_copy(update={"intervals": {"rouge_l": (0.2, 0.4)}})
    assert missed(perhaps, demands, [before]) == ()
    for sampled in (False, True):
        (reason,) = missed(surely, demands, [before], sampled=sampled)
        assert reason == "rouge_l fell from 0.950 on 2026-01-01 12:00 UTC to 0.300, more than 0.05"
    assert missed(surely, demands.model_copy(update={"most_worse": None}), [before]) == ()


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_answers_that_stray_from_the_passages_fail_a_run_of_a_shipped_environment(name: EnvironmentName) -> None:
    shipped = load_environment(name).evaluation
    of_traces = () if shipped.traces is None else (shipped.of_traces(shipped.traces),)
    judging = Judging(model="j", tokens=1, halted=False, labelled=80, kappa=0.9, interval=None)

    def judged(hours: int, scores: dict[Metric, float], interval: tuple[float, float]) -> Report:
        perfect = dict.fromkeys((metric for metric in shipped.metrics if metric not in JUDGED), 1.0)
        update = {
            "rows": (),
            "scores": perfect | scores,
            "intervals": dict.fromkeys(scores, interval),
            "judging": judging,
        }
        return report(hours, 1).model_copy(update=update)

    scores: dict[Metric, float] = {"faithfulness": 0.95, "answer_relevancy": 0.95}
    before = judged(0, scores, (0.9, 1.0))
    fallen = judged(1, dict.fromkeys(scores, 0.3), (0.2, 0.4))
    assert of_traces or name != EnvironmentName.PROD
    for demands in (shipped, *of_traces):
        assert missed(before, demands, []) == ()
        assert [reason.partition(" is ")[0].partition(" on ")[0] for reason in missed(fallen, demands, [before])] == [
            "faithfulness = 0.300",
            "faithfulness fell from 0.950",
            "answer_relevancy fell from 0.950",
        ]
        uncalibrated = fallen.model_copy(update={"judging": judging.model_copy(update={"kappa": 0.1})})
        (unchecked,) = missed(uncalibrated, demands, [before])
        assert unchecked.startswith("nobody checked the thresholds of faithfulness: Uncalibrated")


def test_a_threshold_that_no_labelled_question_can_be_held_to_is_missed() -> None:
    demands = DEMANDS.model_copy(update={"thresholds": {"mrr": 0.5, "abstention_accuracy": 0.7, "groundedness": 0.8}})
    (reason,) = missed(report(1, 0.6), demands, [])
    assert reason.startswith("abstention_accuracy was not measured: no labelled question is of the kind"), reason


def test_without_a_tolerance_or_a_report_before_nothing_is_compared() -> None:
    assert missed(report(1, 0.6), DEMANDS, []) == ()
    assert missed(report(1, 0.6), DEMANDS.model_copy(update={"most_worse": None}), [report(0, 0.9)]) == ()


def test_kappa_is_agreement_beyond_chance() -> None:
    # 35 of 50 agree; two who say yes as often as these would agree on half.
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)
    assert cohens_kappa([(True, True), (False, False)]) == 1
    assert cohens_kappa([(True, False), (False, True)]) == -1
    assert cohens_kappa([(True, True)] * 3) is None
    assert cohens_kappa([]) is None

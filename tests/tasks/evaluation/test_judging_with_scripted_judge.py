"""Judged metrics by RAGAS and the official client; the judge behind the API is scripted."""

import pytest
from pydantic import SecretStr

from tasks.agent_service.http_api import NoAnswer
from tasks.environment import Environment, EnvironmentName
from tasks.environment.quality import JUDGED, Evaluation, JudgedMetric
from tasks.environment.variable_file import load_environment
from tasks.evaluation.artifacts import in_doubt, in_words, judge_table, score_table
from tasks.evaluation.gate import DemandsMissed, missed, require_demands
from tasks.evaluation.judging import judge_answers
from tasks.evaluation.report import Inputs, Report
from tasks.evaluation.scores import metric_values
from tasks.evaluation.site import Asked
from tasks.golden.dataset import GoldenQuestion
from tests.tasks.evaluation.judged_rows import FACT, FOUND, about_ports, answered
from tests.tasks.evaluation.scripted_judge import LABELS, TOKENS, ScriptedJudge, verdicts

KEY = "sk-of-the-gateway"


def settings(**demands: object) -> Environment:
    """`dev`, which demands nothing but what is said."""
    dev = load_environment(EnvironmentName.DEV)
    section = {**dev.evaluation.model_dump(), "metrics": JUDGED, "thresholds": {}, "schedule": None, **demands}
    return dev.model_copy(update={"evaluation": Evaluation.model_validate(section)})


def judged(judge: ScriptedJudge, environment: Environment, questions: int = 2, said: str = FACT) -> Report:
    """The report over so many questions that were answered by `said`, and one that the documents do not answer."""
    asked = [about_ports(number) for number in range(questions)]
    asked.append(GoldenQuestion(id="u", kind="unanswerable", question="Who won?", reference="Unknown.", evidence=()))
    rows = [answered(question, said) for question in asked]
    site = Asked("http://127.0.0.1:9", judge.url, SecretStr(KEY))
    scored, judging = judge_answers.fn(environment, site, asked, [FOUND] * len(asked), rows, lambda text: [1.0, 0.5])
    return Report.model_construct(
        rows=scored,
        scores=metric_values(scored, JUDGED),
        judging=judging,
        intervals={},
        refused=(),
        inputs=Inputs.model_construct(golden="g"),
    )


def test_a_judge_that_agrees_with_people_scores_answers_and_counts(judge: ScriptedJudge) -> None:
    environment = settings(thresholds={"faithfulness": 0.9})
    report = judged(judge, environment)
    assert report.scores == pytest.approx(dict.fromkeys(JUDGED, 1.0))
    assert report.rows[-1].judged == {}, "nothing is said of a question without a reference"
    assert report.judging is not None
    assert (report.judging.kappa, report.judging.labelled, report.judging.unlabelled) == (1, len(LABELS), 0)
    assert report.judging.finished
    assert (report.judging.tokens, report.judging.halted) == (TOKENS * len(judge.calls), False)
    assert judge.keys == {f"Bearer {KEY}"}
    assert missed(report, environment.evaluation, []) == ()
    assert "its scores count" in in_words(report.judging, environment.evaluation)
    assert in_doubt(report, environment.evaluation) == ""
    report.intervals["answer_relevancy"] = (0.75, 1.0)
    said = {row["what"]: row["value"] for row in judge_table(report, report.judging, environment.evaluation)}
    assert "faithfulness has no threshold yet" not in said
    proposed = str(said["answer_relevancy has no threshold yet"])
    assert proposed.startswith("this run proposes answer_relevancy = 0.75, the lower end")

    judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda each: LABELS.get(each, False))
    worse = judged(judge, environment)
    assert worse.scores["faithfulness"] == 0
    (reason,) = missed(worse, environment.evaluation, [])
    assert reason == "faithfulness = 0.000 is below its threshold 0.900"
    with pytest.raises(DemandsMissed, match=r"'Which port is it, number 0\?': faithfulness 0\.00 \(was right before\)"):
        require_demands(worse.model_copy(update={"refused": (reason,)}), [report])


def test_scores_that_are_missing_are_counted_and_too_many_fail_the_run(judge: ScriptedJudge) -> None:
    judge.said["ContextRecallOutput"] = lambda given: {"classifications": []}
    environment = settings()
    report = judged(judge, environment)
    assert "judged_context_recall" not in report.scores
    assert report.scores.keys() == set(JUDGED) - {"judged_context_recall"}
    (reason,) = missed(report, environment.evaluation, [])
    assert reason.startswith("judged_context_recall: 2 of 2 scores are missing, above the allowed share 0.1; first")
    assert "NaN" in reason
    assert report.judging is not None
    rows = {row["what"]: row["value"] for row in judge_table(report, report.judging, environment.evaluation)}
    assert (rows["missing of judged_context_recall"], rows["missing of faithfulness"]) == ("2 of 2", "0 of 2")


def test_an_answer_to_what_was_not_searched_is_not_judged_and_its_scores_are_missing(judge: ScriptedJudge) -> None:
    site = Asked("http://127.0.0.1:9", judge.url, SecretStr(KEY))
    asked = [about_ports(0), about_ports(1)]
    row, other = (answered(question, FACT) for question in asked)
    rows = [row, other.model_copy(update={"ranks": (), "unsearched": "no answer"})]
    scored, _ = judge_answers.fn(settings(), site, asked, [FOUND, NoAnswer("no answer")], rows, lambda text: [1.0, 0.5])
    assert [each.judged.keys() for each in scored] == [set(JUDGED), set()]
    assert scored[1].unjudged == dict.fromkeys(JUDGED, "no answer")


def test_a_few_missing_scores_are_not_averaged_and_pass(judge: ScriptedJudge) -> None:
    judge.refused.append("number 3?")
    judge.said["ContextPrecisionOutput"] = lambda given: {"reason": "", "verdict": "no number"}
    environment = settings(metrics=("faithfulness", "judged_context_precision"), judge_failures=0.25)
    report = judged(judge, environment, questions=4)
    failed: dict[str, dict[JudgedMetric, str]] = {row.id: row.unjudged for row in report.rows}
    assert failed["a3"]["faithfulness"] == "the gateway refused with status 400"
    assert failed["a0"].keys() == {"judged_context_precision"}
    assert failed["a0"]["judged_context_precision"].startswith("the judge's answer has another shape")
    assert report.scores == {"faithfulness": 1}
    (reason,) = missed(report, environment.evaluation, [])
    assert reason.startswith("judged_context_precision: 4 of 4")


def test_an_empty_answer_misses_its_scores_and_ends_nothing(judge: ScriptedJudge) -> None:
    report = judged(judge, settings(), questions=1, said="")
    row = report.rows[0]
    assert row.unjudged.keys() == {"faithfulness", "answer_relevancy"}
    assert row.unjudged["answer_relevancy"] == "RAGAS cannot score it: response cannot be empty"
    assert row.judged.keys() == {"judged_context_precision", "judged_context_recall", "answer_correctness"}


def test_a_judge_at_the_end_of_its_tokens_is_not_asked_again_and_passes_nothing(
    judge: ScriptedJudge,
) -> None:
    judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda each: LABELS.get(each, False))
    environment = settings(judge_tokens=6000, thresholds={"faithfulness": 0.9})
    report = judged(judge, environment, questions=8)
    assert report.judging is not None
    assert report.judging.halted
    assert report.judging.tokens == TOKENS * len(judge.calls) <= 6000
    halted = "The judge stopped at its 6000 tokens: its scores are incomplete and count for nothing"
    (reason,) = missed(report, environment.evaluation, [])
    assert reason.startswith(f"nobody checked the thresholds of faithfulness: {halted}. Raise evaluation.judge_tokens")
    assert missed(report, settings(judge_tokens=6000).evaluation, []) == ()
    assert in_words(report.judging, environment.evaluation) == halted
    assert in_doubt(report, environment.evaluation) == f"{halted}. "


def test_a_judge_that_people_disagree_with_demands_nothing(judge: ScriptedJudge) -> None:
    judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda each: each != FACT and len(each) % 2 == 0)
    environment = settings(thresholds={"faithfulness": 0.9})
    report = judged(judge, environment)
    assert report.judging is not None
    assert report.judging.kappa is not None
    assert report.judging.interval is not None
    assert report.judging.interval[0] <= report.judging.kappa <= report.judging.interval[1]
    assert report.judging.kappa < environment.evaluation.judge_kappa
    assert report.scores["faithfulness"] == 0
    (reason,) = missed(report, environment.evaluation, [])
    assert reason.startswith("nobody checked the thresholds of faithfulness: Uncalibrated")
    assert missed(report, settings().evaluation, []) == ()
    assert in_words(report.judging, environment.evaluation).startswith("Uncalibrated")
    (row, *_) = score_table(report, {}, environment.evaluation)
    assert (row["metric"], row["reached"]) == ("faithfulness", "not asked: see the judge")
    report.intervals["answer_relevancy"] = (0.75, 1.0)
    said = {row["what"]: row["value"] for row in judge_table(report, report.judging, environment.evaluation)}
    assert "none is proposed" in str(said["answer_relevancy has no threshold yet"])


def test_verdicts_that_cannot_be_told_apart_count_as_disagreement(judge: ScriptedJudge) -> None:
    judge.said["NLIStatementOutput"] = lambda given: verdicts({"statements": [*given["statements"], "more"]}, bool)
    report = judged(judge, settings())
    assert report.judging is not None
    assert (report.judging.labelled, report.judging.kappa, report.judging.halted) == (0, None, False)
    assert report.judging.unlabelled == len(LABELS)


def test_without_a_judge_nothing_is_asked(judge: ScriptedJudge) -> None:
    report = judged(judge, settings(metrics=("mrr",)))
    assert (report.judging, judge.calls) == (None, [])

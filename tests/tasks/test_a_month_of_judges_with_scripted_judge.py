"""A month of evaluations by a judge that fails: the judge behind the API is scripted, RAGAS and the client are real."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation, Metric
from tasks.environment.variable_file import load_environment
from tasks.evaluation_artifacts import in_words
from tasks.evaluation_gate import comparable, missed
from tasks.evaluation_report import Inputs, Report
from tasks.evaluation_scores import metric_values
from tasks.evaluation_site import Asked
from tasks.judging import judge_answers
from tests.tasks.judged_rows import FACT, FOUND, about_ports, answered
from tests.tasks.scripted_judge import LABELS, ScriptedJudge, verdicts

DAYS = 30
INVENTED = "The port of the service is 9090."
METRICS: tuple[Metric, ...] = ("mrr", "faithfulness")
QUESTIONS = [about_ports(number) for number in range(2)]


class Month:
    """Each day another generation is measured; `reports` are kept newest first, as an environment's are."""

    def __init__(self, judge: ScriptedJudge) -> None:
        dev = load_environment(EnvironmentName.DEV)
        demands = {"metrics": METRICS, "thresholds": dict.fromkeys(METRICS, 0.4), "most_worse": 0.05, "schedule": None}
        self.demands = Evaluation.model_validate({**dev.evaluation.model_dump(), **demands})
        self.settings = dev.model_copy(update={"evaluation": self.demands})
        self.judge = judge
        self.reports: list[Report] = []
        self.days = Counter[str]()
        self.honest()

    def honest(self) -> None:
        self.judge.refused.clear()
        self.judge.said["NLIStatementOutput"] = lambda given: verdicts(
            given, lambda statement: LABELS.get(statement, statement == FACT)
        )

    def good_day(self) -> None:
        assert self.measured().refused == ()

    def worse_retrieval(self) -> None:
        below, fell = self.measured(rank=4).refused
        assert below.startswith("mrr = 0.250 is below its threshold")
        assert fell.startswith("mrr fell from 1.000")

    def invents_half(self) -> None:
        (reason,) = self.measured(said=(FACT, INVENTED)).refused
        assert reason.startswith("faithfulness fell from 1.000")

    def judge_away(self) -> None:
        self.judge.refused.append("")
        report = self.measured()
        (reason,) = report.refused
        assert reason.startswith("faithfulness: 2 of 2 scores are missing")
        assert "faithfulness" not in report.scores, "what is missing is no part of a mean"

    def judge_babbles(self) -> None:
        self.judge.said["NLIStatementOutput"] = lambda given: {"statements": "yes"}
        report = self.measured()
        assert "another shape" in report.refused[0]
        assert report.judging is not None
        assert (report.judging.kappa, "faithfulness" in report.scores) == (None, False)

    def judge_gives_no_number(self) -> None:
        # RAGAS divides by the number of verdicts.
        self.judge.said["NLIStatementOutput"] = lambda given: {"statements": []}
        report = self.measured()
        assert "NaN" in report.refused[0]
        assert "faithfulness" not in report.scores

    def judge_agrees_with_everything(self) -> None:
        self.judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda _: True)
        # It neither refuses a generation nor vouches for one: what needs no judge is held to its threshold.
        assert self.measured(said=(FACT, INVENTED), rank=4).refused[0].startswith("mrr = 0.250")
        self._passes_unvouched(self.measured(said=(FACT, INVENTED)))
        # And when it can be trusted again, what it let through is compared with what was there before it failed.
        self.honest()
        self.invents_half()

    def judge_refuses_everything(self) -> None:
        self.judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda _: False)
        report = self.measured()
        assert report.scores["faithfulness"] == 0
        self._passes_unvouched(report)

    def measured(self, said: tuple[str, str] = (FACT, FACT), rank: int = 1) -> Report:
        rows = [answered(question, answer, rank) for question, answer in zip(QUESTIONS, said, strict=True)]
        asked = Asked("http://127.0.0.1:9", self.judge.url, SecretStr("sk"))
        scored, judging = judge_answers.fn(self.settings, asked, QUESTIONS, [FOUND] * 2, rows, lambda _: [1.0])
        report = Report(
            created_at=datetime(2030, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.reports)),
            environment="dev",
            generation=f"g{len(self.reports)}",
            inputs=Inputs(golden="g", knowledge="k", service="s", models={}, settings={}),
            scores=metric_values(scored, METRICS),
            judging=judging,
            rows=scored,
            seconds=1,
        )
        refused = missed(report, self.demands, comparable(report, self.reports))
        self.reports.insert(0, report.model_copy(update={"refused": refused}))
        return self.reports[0]

    def _passes_unvouched(self, report: Report) -> None:
        assert report.refused == ()
        assert report.judging is not None
        assert in_words(report.judging, self.demands).startswith("Uncalibrated")


EVENTS: tuple[Callable[[Month], None], ...] = (
    Month.good_day,
    Month.worse_retrieval,
    Month.invents_half,
    Month.judge_away,
    Month.judge_babbles,
    Month.judge_gives_no_number,
    Month.judge_agrees_with_everything,
    Month.judge_refuses_everything,
)


@pytest.fixture
def judge() -> Iterator[ScriptedJudge]:
    scripted = ScriptedJudge()
    scripted.start()
    yield scripted
    scripted.stop()


def test_a_failing_judge_neither_gates_nor_lets_a_bad_generation_pass(judge: ScriptedJudge) -> None:
    month = Month(judge)
    chance = random.Random(2030)  # noqa: S311 - a calendar that can be replayed
    calendar = [*EVENTS, *EVENTS, *chance.choices(EVENTS, k=DAYS - 2 * len(EVENTS))]
    chance.shuffle(calendar)
    month.good_day()
    for event in calendar:
        month.honest()
        event(month)
        month.days[event.__name__] += 1
    month.honest()
    month.good_day()
    assert month.days.total() == DAYS
    bad = {report.generation for report in month.reports if any(row.ranks == (4,) for row in report.rows)}
    assert {report.generation for report in month.reports if not report.refused}.isdisjoint(bad)

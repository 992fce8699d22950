"""A month of evaluations by a judge that fails: the judge behind the API is scripted, RAGAS and the client are real."""

import random
from collections import Counter
from collections.abc import Callable

from tasks.evaluation.report import Report
from tests.tasks.evaluation import failing_judges
from tests.tasks.evaluation.judged_reports import JudgedReports
from tests.tasks.evaluation.judged_rows import FACT, FOUND, about_ports, answered
from tests.tasks.evaluation.scripted_judge import ScriptedJudge

DAYS = 30
INVENTED = "The port of the service is 9090."
QUESTIONS = [about_ports(number) for number in range(2)]


class Month:
    """Each day another generation is measured."""

    def __init__(self, judge: ScriptedJudge) -> None:
        self.judge = judge
        self.reports = JudgedReports(judge)
        self.days = Counter[str]()
        self.honest()

    def honest(self) -> None:
        failing_judges.honest(self.judge)

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
        failing_judges.away(self.judge)
        report = self.measured()
        missing, unchecked = report.refused
        assert missing.startswith("faithfulness: 2 of 2 scores are missing")
        assert unchecked.startswith("nobody checked the thresholds of faithfulness: Uncalibrated")
        assert "faithfulness" not in report.scores, "what is missing is no part of a mean"

    def judge_babbles(self) -> None:
        failing_judges.babbles(self.judge)
        report = self.measured()
        assert "another shape" in report.refused[0]
        assert report.judging is not None
        assert (report.judging.kappa, "faithfulness" in report.scores) == (None, False)

    def judge_gives_no_number(self) -> None:
        failing_judges.gives_no_number(self.judge)
        report = self.measured()
        assert "NaN" in report.refused[0]
        assert "faithfulness" not in report.scores

    def judge_agrees_with_everything(self) -> None:
        failing_judges.agrees_with_everything(self.judge)
        # It neither refuses a generation nor vouches for one: what needs no judge is held to its threshold.
        assert self.measured(said=(FACT, INVENTED), rank=4).refused[0].startswith("mrr = 0.250")
        self._unchecked(self.measured(said=(FACT, INVENTED)))
        # And when it can be trusted again, what it let through is compared with what was there before it failed.
        self.honest()
        self.invents_half()

    def judge_refuses_everything(self) -> None:
        failing_judges.refuses_everything(self.judge)
        report = self.measured()
        assert report.scores["faithfulness"] == 0
        self._unchecked(report)

    def measured(self, said: tuple[str, str] = (FACT, FACT), rank: int = 1) -> Report:
        rows = [answered(question, answer, rank) for question, answer in zip(QUESTIONS, said, strict=True)]
        return self.reports.measured(f"g{len(self.reports.kept)}", QUESTIONS, [FOUND] * 2, rows)

    def _unchecked(self, report: Report) -> None:
        """Nobody vouches for it, so it is nothing that a later one is compared with."""
        (reason,) = report.refused
        assert reason.startswith("nobody checked the thresholds of faithfulness: Uncalibrated")


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
    bad = {report.generation for report in month.reports.kept if any(row.ranks == (4,) for row in report.rows)}
    assert {report.generation for report in month.reports.kept if not report.refused}.isdisjoint(bad)

"""Evaluations by a scripted judge, one after the other, gated and kept as an environment's are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from tasks.agent_service.http_api import SearchAnswer
from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation, Metric
from tasks.environment.variable_file import load_environment
from tasks.evaluation.gate import comparable, missed
from tasks.evaluation.judging import judge_answers
from tasks.evaluation.report import Inputs, QuestionRow, Report
from tasks.evaluation.scores import metric_values
from tasks.evaluation.site import Asked
from tasks.golden.dataset import GoldenQuestion
from tests.tasks.evaluation.scripted_judge import ScriptedJudge

METRICS: tuple[Metric, ...] = ("mrr", "faithfulness")


class JudgedReports:
    """`kept` holds the reports, newest first."""

    def __init__(self, judge: ScriptedJudge) -> None:
        dev = load_environment(EnvironmentName.DEV)
        demands = {"metrics": METRICS, "thresholds": dict.fromkeys(METRICS, 0.4), "most_worse": 0.05, "schedule": None}
        self._demands = Evaluation.model_validate({**dev.evaluation.model_dump(), **demands})
        self._settings = dev.model_copy(update={"evaluation": self._demands})
        self._asked = Asked("http://127.0.0.1:9", judge.url, SecretStr("sk"))
        self.kept: list[Report] = []

    def measured(
        self,
        generation: str,
        questions: Sequence[GoldenQuestion],
        searched: Sequence[SearchAnswer],
        rows: Sequence[QuestionRow],
    ) -> Report:
        """Have the answers of `rows` judged, and the report held to what is demanded."""
        scored, judging = judge_answers.fn(self._settings, self._asked, questions, searched, rows, lambda _: [1.0])
        report = Report(
            created_at=datetime(2030, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.kept)),
            environment="dev",
            generation=generation,
            inputs=Inputs(golden="g", knowledge="k", service="s", models={}, settings={}),
            scores=metric_values(scored, METRICS),
            judging=judging,
            rows=scored,
            seconds=1,
        )
        refused = missed(report, self._demands, comparable(report, self.kept))
        self.kept.insert(0, report.model_copy(update={"refused": refused}))
        return self.kept[0]

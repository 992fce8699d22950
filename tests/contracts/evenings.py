"""Each evening what serves is evaluated on the labelled questions, on some days by a judge that fails."""

import random
from collections.abc import Mapping

from agents.knowledge.search import Passage
from tasks.agent_service.http_api import FoundChunk, FoundPassage, SearchAnswer
from tests.contracts.month import LABELLED, QUESTIONS
from tests.tasks.evaluation.failing_judges import FAILURES, honest
from tests.tasks.evaluation.judged_reports import JudgedReports
from tests.tasks.evaluation.judged_rows import answered
from tests.tasks.evaluation.scripted_judge import ScriptedJudge

HONEST = "honest"


class Evenings:
    """`days` says how the judge is on each of the days, each failure on two of them."""

    def __init__(self, judge: ScriptedJudge, days: int, chance: random.Random) -> None:
        self._judge = judge
        self._reports = JudgedReports(judge)
        self.days = [*FAILURES, *FAILURES, *[HONEST] * (days - 2 * len(FAILURES))]
        chance.shuffle(self.days)

    def evaluated(self, day: int, generation: str, found: Mapping[str, list[Passage]]) -> str:
        """How the evaluation of what was `found` for each question ended; the first passage was the answer."""
        honest(self._judge)
        if (failure := self.days[day]) != HONEST:
            FAILURES[failure](self._judge)
        searched = [_answer(generation, found[question.id]) for question in QUESTIONS]
        rows = [
            answered(question, texts[0], texts.index(LABELLED[question.evidence[0].document]) + 1)
            for question in QUESTIONS
            for texts in ([passage.chunk.text for passage in found[question.id]],)
        ]
        refused = self._reports.measured(generation, QUESTIONS, searched, rows).refused
        if not refused:
            return "passed"
        return f"failed: {'; '.join(_in_short(reason) for reason in refused)}"


def _answer(generation: str, passages: list[Passage]) -> SearchAnswer:
    chunks = [FoundChunk(path=passage.chunk.path, text=passage.chunk.text) for passage in passages]
    found = tuple(FoundPassage(chunk=chunk) for chunk in chunks)
    return SearchAnswer(generation=generation, relevancy=1, passages=found)


def _in_short(reason: str) -> str:
    """What was missed, without why and what to do."""
    return reason.partition(", more than")[0].partition(": Uncalibrated")[0]

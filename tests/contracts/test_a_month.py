"""A month of an environment that nobody looks after, over both stores, by a clock that is moved.

Every night at two a refresh meets what the day brought, by a seeded calendar. At noon a reader asks, and the service
looks how fresh its knowledge is; in the evening what serves is evaluated, by a scripted judge that fails on every third
day; every seventh day a restore drill follows. The report is a_month.md.
"""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from agents.freshness import FreshnessWatch
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge_base import KnowledgeBase, VectorBy
from tasks.restore_drill.comparing import Questions
from tasks.restore_drill.knowledge import Copies, drill_knowledge, drop_old_copies
from tasks.restore_drill.report import Objective, require_restored
from tests.contracts.diary import Day, Diary
from tests.contracts.evenings import HONEST, Evenings
from tests.contracts.generations import EMBEDDING
from tests.contracts.models import MODELS, NEWER
from tests.contracts.month import EVENTS, NOTICED, QUESTIONS, Month
from tests.contracts.small_refreshes import FUSION
from tests.tasks.evaluation.scripted_judge import ScriptedJudge

DAYS = 30
SEED = 2030
OBJECTIVE = timedelta(hours=26)
# Copies carry the time of their server, whose clock is not moved.
RESTORED = Objective(point=timedelta(days=DAYS), time=timedelta(minutes=2))
REPORT = Path(__file__).with_name("a_month.md")


def asking(text: str) -> VectorBy:
    """The question, by the model of the generation that serves."""

    async def by(model: EmbeddingIdentity) -> list[float]:
        return MODELS[model]([text])[0]

    return by


async def answers(reader: KnowledgeBase) -> tuple[str, dict[str, list[Passage]]]:
    """Which generation the reader is answered from, and what is found for each labelled question, by its id."""
    generation, found = "", dict[str, list[Passage]]()
    for each in QUESTIONS:
        manifest, found[each.id] = await reader.search(each.question, asking(each.question), 5, Filters())
        generation = manifest.generation
    return generation, found


def wrong(month: Month, generation: str, found: dict[str, list[Passage]]) -> int:
    """How many questions were answered from another document, or from what the generation was not to hold."""
    return sum(
        passages[0].chunk.text != question.reference
        or not {passage.chunk.text for passage in passages} <= month.held[generation]
        for question in QUESTIONS
        for passages in (found[question.id],)
    )


async def stale_after(settings: LanceSettings | OpenSearchSettings) -> str | None:
    """Why the service that looks now finds its knowledge stale; None when it does not."""
    knowledge = KnowledgeBase(settings, FUSION, NEWER, EMBEDDING)
    watch = FreshnessWatch(knowledge, OBJECTIVE, None)
    await watch.look()
    reason = watch.judge(await knowledge.serving()).reason
    await knowledge.close()
    return reason


def drilled(month: Month, copies: Copies) -> str:
    """Restore what serves beside, and compare."""
    asked = Questions(QUESTIONS, lambda text: MODELS[month.model]([text])[0], FUSION)
    restored = drill_knowledge.fn(month.small.store, copies, asked, RESTORED)
    drop_old_copies.fn(copies, 2)
    require_restored([restored])
    return "restored"


@pytest.mark.timeout(1200)
def test_a_month_passes_without_a_wrong_answer_and_without_a_hand(
    settings: LanceSettings | OpenSearchSettings, copies: Copies, judge: ScriptedJudge
) -> None:
    first = (datetime.now(UTC) + timedelta(days=1)).replace(hour=2, minute=0)
    days: list[Day] = []
    served: list[str] = []
    mistaken = 0
    with time_machine.travel(first - timedelta(days=1)) as clock, asyncio.Runner() as runner:
        month = Month(settings, SEED)
        calendar = [*EVENTS, *EVENTS, *month.random.choices(EVENTS, k=DAYS - 2 * len(EVENTS))]
        month.random.shuffle(calendar)
        evenings = Evenings(judge, DAYS, random.Random(SEED))  # noqa: S311 - a calendar that can be replayed
        reader = KnowledgeBase(settings, FUSION, NEWER, EMBEDDING)
        for number, event in enumerate(calendar):
            clock.move_to(first + timedelta(days=number))
            month.day(event)
            clock.shift(timedelta(hours=10))
            # A reader looks once a second which generation serves: it may answer from the one before.
            generation, found = runner.run(answers(reader))
            mistaken += wrong(month, generation, found)
            served += [] if month.small.serving in served else [month.small.serving]
            stale = runner.run(stale_after(settings))
            assert (stale is not None) == (event in NOTICED), days
            evaluation = evenings.evaluated(number, generation, found)
            assert (evaluation == "passed") == (evenings.days[number] == HONEST), evaluation
            days.append(
                Day(
                    number=number + 1,
                    happened=event.__name__.replace("_", " "),
                    refresh=month.run,
                    serves=served.index(month.small.serving) + 1,
                    knowledge=stale or "fresh",
                    judge=evenings.days[number],
                    evaluation=evaluation,
                    drill=drilled(month, copies) if number % 7 == 6 else "",
                )
            )
        runner.run(reader.close())
        month.small.store.close()
    report = str(Diary(tuple(days), asked=DAYS * len(QUESTIONS), wrong=mistaken, by_hand=month.small.confirmed))
    print(report)
    assert (mistaken, month.small.confirmed) == (0, 0), report
    texts = Counter(month.small.embedded)
    assert {text for text, times in texts.items() if times > 1} == set(), "nothing is embedded twice"
    assert report == REPORT.read_text(encoding="utf-8"), "what is printed is the new report"

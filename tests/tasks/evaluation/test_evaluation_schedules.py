"""When evaluations of the shipped environments start, and how long their reports are there to be compared with."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect.server.schemas.schedules import CronSchedule

from tasks.environment import EnvironmentName
from tasks.environment.schedule import Schedule
from tasks.environment.variable_file import load_environment
from tasks.evaluation.kept_reports import MOST_READ

MONDAY = datetime(2029, 12, 31, tzinfo=UTC)
WEEK = timedelta(weeks=1)
ON_AWS = (EnvironmentName.DEV, EnvironmentName.PROD)


def starts(schedule: Schedule) -> set[datetime]:
    """Within a week."""
    cron = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    return set(asyncio.run(cron.get_dates(n=10000, start=MONDAY, end=MONDAY + WEEK)))


@pytest.mark.parametrize("name", EnvironmentName)
def test_an_evaluation_does_not_start_with_a_refresh(name: EnvironmentName) -> None:
    settings = load_environment(name)
    assert settings.evaluation.schedule is not None
    assert settings.knowledge.schedule is not None
    evaluations = starts(settings.evaluation.schedule)
    assert evaluations
    assert evaluations.isdisjoint(starts(settings.knowledge.schedule))


@pytest.mark.parametrize("name", ON_AWS)
def test_the_reports_of_a_whole_trend_are_kept(name: EnvironmentName) -> None:
    settings = load_environment(name)
    assert settings.evaluation.schedule is not None
    assert settings.data is not None
    runs_a_week = len(starts(settings.evaluation.schedule))
    assert timedelta(days=settings.data.buckets.result_days) >= WEEK / runs_a_week * MOST_READ

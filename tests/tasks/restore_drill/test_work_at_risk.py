"""How old the work is that no copy has, worked out by hand."""

from datetime import UTC, datetime, timedelta

from agents.knowledge.generation import Manifest
from tasks.restore_drill.work_at_risk import work_at_risk
from tests.contracts.generations import GUIDE, manifest

FRIDAY, MONDAY = datetime(2026, 1, 2, 4, 30, tzinfo=UTC), datetime(2026, 1, 5, 4, 30, tzinfo=UTC)
TAKEN = {"older": FRIDAY - timedelta(days=1), "friday": FRIDAY}


def made(name: str, hours_before_the_drill: float) -> Manifest:
    created = MONDAY - timedelta(hours=hours_before_the_drill)
    return manifest(name, GUIDE).model_copy(update={"created_at": created})


FRIDAYS = made("friday", 73)


def test_quiet_days_are_no_work_at_risk() -> None:
    fresh = made("fresh", 2.5)
    assert work_at_risk(fresh, [fresh, FRIDAYS], TAKEN, MONDAY, "friday") == timedelta(hours=2.5)


def test_the_oldest_work_that_was_not_copied_counts() -> None:
    first, fresh, rolled_back = made("first", 20), made("fresh", 2), made("rolled-back", 72.5)
    assert work_at_risk(fresh, [fresh, first, FRIDAYS], TAKEN, MONDAY, "friday") == timedelta(hours=20)
    assert work_at_risk(rolled_back, [fresh, rolled_back], TAKEN, MONDAY, "friday") == timedelta(hours=72.5)


def test_where_all_that_was_there_when_it_was_copied_is_dropped_the_time_of_the_copy_counts() -> None:
    fresh, kept = made("fresh", 2), made("kept", 8)
    assert work_at_risk(fresh, [fresh, kept], TAKEN, MONDAY, "friday") == MONDAY - FRIDAY


def test_what_is_copied_is_safe_and_a_first_drill_breaks_no_promise() -> None:
    assert work_at_risk(FRIDAYS, [FRIDAYS], TAKEN, MONDAY, "friday") == timedelta()
    assert work_at_risk(FRIDAYS, [FRIDAYS], {}, MONDAY, None) == timedelta()


def test_with_the_copies_gone_all_work_is_at_risk() -> None:
    fresh = made("fresh", 2)
    assert work_at_risk(fresh, [fresh, FRIDAYS], {}, MONDAY, "friday") == timedelta(hours=73)

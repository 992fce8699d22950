from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.schedule import Schedule
from tasks.environment.variable_file import load_environment, read_variable_file
from tests.tasks.environment.prod_file import PROD, refusal_of_prod, require_prod_refused

DRIFT = 'drift   = { cron = "0 */6 * * *", timezone = "UTC" }'

# what is replaced in prod.tfvars, by what, and what the error must say
REFUSED = {
    "cron of four fields": (DRIFT, DRIFT.replace("*/6 ", ""), ["operations.schedules.drift.cron", "five fields"]),
    "hour that never comes": (DRIFT, DRIFT.replace("*/6", "24"), ["operations.schedules.drift", "the hour is '24'"]),
    "unknown time zone": (DRIFT, DRIFT.replace("UTC", "Mars/Base"), ["'Mars/Base' is not an IANA time zone"]),
    "schedule of a flow that has none": (
        DRIFT,
        DRIFT.replace("drift  ", "drifts"),
        ["operations.schedules has the unknown key 'drifts'; did you mean 'drift'?"],
    ),
    "section without schedules": (
        "  schedules = {\n    cost",
        "  schedule = {\n    cost",
        ["did you mean 'schedules'"],
    ),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused_by_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, fragments: list[str]
) -> None:
    require_prod_refused(tmp_path, old, new, fragments)


def test_an_environment_on_aws_needs_the_section(tmp_path: Path) -> None:
    assert "'local' has no section operations, every other needs it" in refusal_of_prod(
        tmp_path, PROD[: PROD.index("\noperations = {")]
    )


def test_a_schedule_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "prod.tfvars"
    path.write_text(PROD.replace(DRIFT, "", 1), encoding="utf-8")
    operations = read_variable_file(path).operations
    assert operations is not None
    assert operations.schedules.drift is None
    assert operations.schedules.secrets == Schedule(cron="0 4 * * *", timezone="UTC")


def test_the_laptop_has_none() -> None:
    assert load_environment(EnvironmentName.LOCAL).operations is None

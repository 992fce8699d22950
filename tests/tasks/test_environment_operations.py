from pathlib import Path

import pytest

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.schedule import Schedule
from tasks.environment.variable_file import InvalidEnvironment, load_environment, read_variable_file

PROD = (REPOSITORY / "infra" / "environments" / "prod.tfvars").read_text(encoding="utf-8")
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
    assert old in PROD
    path = tmp_path / "prod.tfvars"
    path.write_text(PROD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidEnvironment) as caught:
        read_variable_file(path)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_an_environment_on_aws_needs_the_section(tmp_path: Path) -> None:
    path = tmp_path / "prod.tfvars"
    path.write_text(PROD[: PROD.index("\noperations = {")], encoding="utf-8")
    with pytest.raises(InvalidEnvironment, match="'local' has no section operations, every other needs it"):
        read_variable_file(path)


def test_a_schedule_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "prod.tfvars"
    path.write_text(PROD.replace(DRIFT, "", 1), encoding="utf-8")
    operations = read_variable_file(path).operations
    assert operations is not None
    assert operations.schedules.drift is None
    assert operations.schedules.secrets == Schedule(cron="0 4 * * *", timezone="UTC")


def test_the_laptop_has_none() -> None:
    assert load_environment(EnvironmentName.LOCAL).operations is None

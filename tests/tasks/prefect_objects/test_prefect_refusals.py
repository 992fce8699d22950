"""What cannot be deployed to a real Prefect server is one clear error."""

from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate

from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import (
    InvalidPrefectFile,
    PrefectUnreachable,
    WorkPoolTypeDiffers,
    reconcile,
)
from tests.tasks.prefect_objects.prefect_file import edited

pytestmark = pytest.mark.prefect_server


@pytest.fixture
def local() -> Environment:
    return load_environment(EnvironmentName.LOCAL)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("flows.drift.drift", "flows.nowhere.drift", "flows/nowhere.py"),
        ("flows.drift.drift", "flows.drift.missing", "flows/drift.py has no flow 'missing'"),
        ("flows.drift.drift", "flows.drift.publish_table", "flows/drift.py has no flow 'publish_table'"),
        ("name: management, job", "name: elsewhere, job", "work pool 'elsewhere'"),
        ("pull: []", "pull: []\n    schedules: []", "schedules"),
        ("deployments:", "deployments: [", "is not YAML"),
        ("{ environment: local }", "{ environment: local, colour: red }", "'colour'"),
    ],
)
def test_wrong_file_is_one_clear_error_and_nothing_is_written(
    old: str,
    new: str,
    complaint: str,
    prefect_server: str,
    prefect_client: SyncPrefectClient,
    local: Environment,
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidPrefectFile) as raised:
        reconcile(local, prefect_server, dry_run=False, file=edited(tmp_path, old, new))

    assert complaint in str(raised.value)
    assert prefect_client.read_work_pools() == []


def test_parameters_for_an_unknown_flow_are_refused(prefect_server: str, local: Environment) -> None:
    with pytest.raises(InvalidPrefectFile, match="'nothing'"):
        reconcile(local, prefect_server, dry_run=True, parameters={"nothing": {"directory": "/x"}})


def test_missing_file_is_named(prefect_server: str, local: Environment, tmp_path: Path) -> None:
    with pytest.raises(InvalidPrefectFile, match="there is no"):
        reconcile(local, prefect_server, dry_run=True, file=tmp_path / "prefect.yaml")


def test_work_pool_of_another_type_is_refused(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    prefect_client.create_work_pool(WorkPoolCreate(name="management", type="kubernetes"))

    with pytest.raises(WorkPoolTypeDiffers, match="'kubernetes'"):
        reconcile(local, prefect_server, dry_run=False)


def test_server_that_does_not_answer_is_named(local: Environment) -> None:
    with pytest.raises(PrefectUnreachable, match=r"http://127\.0\.0\.1:9/api"):
        reconcile(local, "http://127.0.0.1:9/api", dry_run=True)

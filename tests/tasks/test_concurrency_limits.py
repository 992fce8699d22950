import pytest
from prefect.client.orchestration import SyncPrefectClient

from tasks.concurrency_limits import one_at_a_time
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import reconcile


@pytest.mark.prefect_server
def test_slot_is_held_while_the_work_runs(prefect_server: str, prefect_client: SyncPrefectClient) -> None:
    reconcile(load_environment(EnvironmentName.LOCAL), prefect_server, dry_run=False)

    with one_at_a_time(EnvironmentName.LOCAL, "refresh"):
        assert prefect_client.read_global_concurrency_limit_by_name("local-refresh").active_slots == 1
        assert prefect_client.read_global_concurrency_limit_by_name("local-lifecycle").active_slots == 0
    assert prefect_client.read_global_concurrency_limit_by_name("local-refresh").active_slots == 0

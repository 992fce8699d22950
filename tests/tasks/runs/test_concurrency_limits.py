import contextvars
import logging
import threading

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import reconcile
from tasks.runs.concurrency_limits import one_at_a_time
from tests.tasks.conftest import until

pytestmark = pytest.mark.prefect_server


def test_slot_is_held_while_the_work_runs(prefect_server: str, prefect_client: SyncPrefectClient) -> None:
    reconcile(load_environment(EnvironmentName.LOCAL), prefect_server, dry_run=False)

    with one_at_a_time(EnvironmentName.LOCAL, "refresh"):
        assert prefect_client.read_global_concurrency_limit_by_name("local-refresh").active_slots == 1
        assert prefect_client.read_global_concurrency_limit_by_name("local-lifecycle").active_slots == 0
    assert prefect_client.read_global_concurrency_limit_by_name("local-refresh").active_slots == 0


def test_a_run_that_waits_says_for_what(
    prefect_server: str, prefect_client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    reconcile(load_environment(EnvironmentName.LOCAL), prefect_server, dry_run=False)
    logging.getLogger("prefect.flow_runs").addHandler(caplog.handler)
    done: list[str] = []

    @flow
    def second() -> None:
        with one_at_a_time(EnvironmentName.LOCAL, "refresh"):
            done.append("second")

    # The address of the server is a context variable.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(second,))
    with one_at_a_time(EnvironmentName.LOCAL, "refresh"):
        thread.start()
        until(lambda: "Waiting for another run to free the concurrency limit 'local-refresh'" in caplog.text)
        done.append("first")
    thread.join()
    logging.getLogger("prefect.flow_runs").removeHandler(caplog.handler)
    assert done == ["first", "second"]

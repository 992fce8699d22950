"""The laptop's Prefect server is started again while a run holds a slot: the slot is neither lost nor stuck."""

from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from tasks.environment import Environment, EnvironmentName
from tasks.platforms.component_names import PREFECT_SERVER
from tasks.platforms.local import LocalPlatform
from tasks.platforms.local_components import LocalComponents
from tasks.runs.concurrency_limits import LEASE_SECONDS, limit_name
from tests.tasks.conftest import until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(1200)]

LIMIT = limit_name(EnvironmentName.LOCAL, "refresh")


def server_pid(platform: LocalPlatform) -> int | None:
    (state,) = [state for state in platform.list_components() if state.name == PREFECT_SERVER]
    return state.pid


def slots_taken(client: SyncPrefectClient) -> int:
    return client.read_global_concurrency_limit_by_name(LIMIT).active_slots


def test_a_run_keeps_its_slot_and_gives_it_back(local_environment: Environment, platform: LocalPlatform) -> None:
    components = LocalComponents.of(local_environment)
    platform.deploy(components.prefect_server())
    platform.wait_until_ready(PREFECT_SERVER)
    with SyncPrefectClient(components.prefect_api_url) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=1))
        taken = client.increment_concurrency_slots_with_lease([LIMIT], 1, "concurrency", LEASE_SECONDS)
        lease = UUID(taken.json()["lease_id"])

        killed = server_pid(platform)
        assert killed is not None
        psutil.Process(killed).kill()
        until(lambda: server_pid(platform) not in (None, killed))
        platform.wait_until_ready(PREFECT_SERVER)

        client.renew_concurrency_lease(lease, LEASE_SECONDS)
        assert slots_taken(client) == 1
        client.release_concurrency_slots_with_lease(lease)
        assert slots_taken(client) == 0

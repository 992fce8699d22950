"""A process that a refresh leans on is killed while it embeds: Prefect's server, or a part of Ray.

The server is the laptop's own, which its supervisor starts again. Running the refresh again converges.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import read_variable_file
from tasks.platforms.component_names import PREFECT_SERVER
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.owned_processes import owned_processes
from tasks.runs.concurrency_limits import limit_name
from tests.crash.children import ended, title_of
from tests.crash.faults import Case, ProcessPoint
from tests.crash.refresh_points import EMBEDDER
from tests.crash.refreshes import Refreshes
from tests.crash.stores import LanceInDirectory
from tests.tasks.conftest import until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def components(
    tmp_path_factory: pytest.TempPathFactory, model_files: Path
) -> Iterator[tuple[LocalComponents, Refreshes]]:
    """A laptop whose Prefect server lets one refresh go at a time, and a corpus of which nothing serves yet."""
    directory = tmp_path_factory.mktemp("loses")
    refreshes = Refreshes(directory, model_files, "", LanceInDirectory(directory / "data"))
    components = LocalComponents.of(read_variable_file(refreshes.variable_file))
    platform = components.platform
    try:
        platform.deploy(components.prefect_server())
        platform.wait_until_ready(PREFECT_SERVER)
        with SyncPrefectClient(components.prefect_api_url) as client:
            limit = limit_name(EnvironmentName.LOCAL, "refresh")
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit, limit=1))
        refreshes.environ |= components.prefect_variables
        refreshes.begin()
        yield components, refreshes
    finally:
        platform.stop()


def test_a_refresh_converges_after_a_process_was_killed(
    components: tuple[LocalComponents, Refreshes], tmp_path: Path, process_case: Case
) -> None:
    laptop, refreshes = components
    refreshes.go_back()
    refreshes.change()
    assert isinstance(process_case.point, ProcessPoint)

    with refreshes.reader() as reader:
        child = refreshes.start(tmp_path / "journal.txt")
        until(lambda: child.poll() is not None or embeds(child), 240)
        victim = next(each for each in processes_of(laptop, child) if process_case.point.title in title_of(each))
        victim.kill()
        _, output = ended(child)
        laptop.platform.wait_until_ready(PREFECT_SERVER)
        code, _, output_again = refreshes.run()
        assert code == 0, output + output_again

    reader.assert_nothing_was_missed()
    refreshes.assert_index_is_what_the_manifest_says()


def processes_of(laptop: LocalComponents, child: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The processes below the refresh, and those of the laptop's supervisor."""
    return [*psutil.Process(child.pid).children(recursive=True), *owned_processes(laptop.platform.supervisor.url)]


def embeds(child: "subprocess.Popen[str]") -> bool:
    """Whether an actor of the refresh has begun to work."""
    return any(
        EMBEDDER in title_of(each) and each.cpu_times().user > 1
        for each in psutil.Process(child.pid).children(recursive=True)
    )

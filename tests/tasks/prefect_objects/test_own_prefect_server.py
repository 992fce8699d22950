"""A Prefect server as `infra/management/prefect-server.yaml` sets it up: over PostgreSQL, and for those it knows."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prefect.server.concurrency.lease_storage import filesystem
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings
from typer.testing import CliRunner

from console.deploy import deploy
from tasks.environment import REPOSITORY
from tests.postgres import PASSWORD, USER, PostgresServer
from tests.prefect_server import running_prefect_server

pytestmark = [pytest.mark.prefect_server, pytest.mark.postgres]

AUTH = "flows:of-the-tests"
MANAGEMENT = REPOSITORY / "infra" / "management"

application = typer.Typer()
application.command()(deploy)


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load((MANAGEMENT / "prefect-server.yaml").read_text(encoding="utf-8"))


@contextmanager
def served(values: dict[str, Any], postgres: PostgresServer, database: str, home: Path) -> Generator[str]:
    """The server of these values over a database of `postgres`; gives the URL of its API."""
    home.mkdir()
    settings = {
        **{variable["name"]: variable["value"] for variable in values["server"]["env"]},
        "PREFECT_SERVER_API_AUTH_STRING": AUTH,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
            f"postgresql+asyncpg://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{postgres.port}/{database}"
        ),
    }
    with running_prefect_server(home, settings) as url:
        yield url


def test_it_is_of_the_version_that_the_flows_are_locked_to(values: dict[str, Any]) -> None:
    assert values["global"]["prefect"]["image"]["prefectTag"].split("-")[0] == version("prefect")


def test_concurrency_leases_outlive_the_pod(values: dict[str, Any]) -> None:
    server = values["server"]
    variables = {variable["name"]: variable["value"] for variable in server["env"]}
    claim = yaml.safe_load((MANAGEMENT / "prefect-server-home.yaml").read_text(encoding="utf-8"))
    volumes = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in server["extraVolumes"]}
    mounted = {mount["mountPath"]: volumes[mount["name"]] for mount in server["extraVolumeMounts"]}

    assert variables["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"] == filesystem.__name__
    assert mounted == {"/home/prefect/.prefect": claim["metadata"]["name"]}
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert server["updateStrategy"] == {"type": "Recreate"}


def test_it_knows_who_deploys_and_comes_back_from_a_dump(
    values: dict[str, Any], postgres_server: PostgresServer, tmp_path: Path
) -> None:
    database = postgres_server.make_database()
    with served(values, postgres_server, database, tmp_path / "first") as url:
        command = ["--environment", "dev", "--api-url", url]

        unknown = CliRunner().invoke(application, command)
        assert unknown.exit_code == 1, unknown.output
        assert "set PREFECT_API_AUTH_STRING" in unknown.output

        with temporary_settings({PREFECT_API_AUTH_STRING: AUTH}):
            known = CliRunner().invoke(application, command)
        assert known.exit_code == 0, known.output

    restored = postgres_server.restore(postgres_server.dump(database))
    with served(values, postgres_server, restored, tmp_path / "second") as url:
        with temporary_settings({PREFECT_API_AUTH_STRING: AUTH}):
            again = CliRunner().invoke(application, ["--environment", "dev", "--api-url", url, "--dry-run"])
        assert again.exit_code == 0, again.output
        assert "unchanged" in again.output

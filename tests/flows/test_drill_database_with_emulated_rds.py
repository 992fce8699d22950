"""The drill of a database server: RDS is moto's, and what serves and what it restores are real PostgreSQL servers."""

import asyncio
import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
from moto.rds.models import DBInstance
from moto.server import ThreadedMotoServer
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from sqlalchemy.exc import ProgrammingError

from flows.drill_database import drill_database
from tasks.restore_drill.database_server import DatabaseServer, owner_password
from tasks.restore_drill.report import Objective, Restoration
from tests.flows.emulated_rds import BESIDE, NAME, SETTINGS, EmulatedRds, make_server, passwords_applied
from tests.postgres import PASSWORD, USER, PostgresServer, running_postgres
from tests.tasks.restore_drill.filled_state import change, fill, postgres_place, postgres_settings

pytestmark = [pytest.mark.prefect_server, pytest.mark.postgres]

OBJECTIVE = Objective(timedelta(minutes=10), timedelta(hours=1))


@flow
def practise(server: DatabaseServer, objective: Objective = OBJECTIVE) -> Restoration:
    """The part of the flow `drill`, in a run of its own."""
    return drill_database(SETTINGS, server, owner_password(SETTINGS, server.secret_arn), objective)


@pytest.fixture(scope="module")
def moto() -> Generator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def restored() -> Generator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def rds(
    moto: str, postgres_server: PostgresServer, restored: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> EmulatedRds:
    httpx.post(f"{moto}/moto-api/reset", timeout=60).raise_for_status()
    variables = {"AWS_ENDPOINT_URL": moto, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    # The names of both servers lead to loopback.
    for name, value in {**variables, "AWS_DEFAULT_REGION": "us-east-1", "PGHOSTADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    database = postgres_server.make_database()
    asyncio.run(fill(postgres_settings(postgres_server, database)))
    secrets = boto3.client("secretsmanager")
    secret = secrets.create_secret(Name="rds!db-1", SecretString=json.dumps({"username": USER, "password": PASSWORD}))
    client = boto3.client("rds")
    make_server(client, NAME, restored.port, "of-the-source")
    rds = EmulatedRds(client, restored, postgres_server, database, secret["ARN"])
    rds.beside(postgres_server.dump(database))
    return rds


def test_the_server_is_restored_beside_compared_and_deleted(
    rds: EmulatedRds, prefect_client: SyncPrefectClient
) -> None:
    make_server(rds.client, BESIDE, rds.restored.port, "of-a-leftover")
    change(postgres_place(rds.served, rds.database), "DELETE FROM conversations WHERE id = 'two'")

    with passwords_applied(rds.restored) as beside:
        drilled = practise(rds.server)

    assert drilled.faults == ()
    assert drilled.restored.startswith(f"{NAME} as of {datetime.now(UTC):%Y-}")
    assert "rows of turns: 3" in str(drilled.row["compared"])
    assert timedelta() < drilled.at_risk < OBJECTIVE.point
    assert rds.names() == [NAME]
    assert beside["DBInstanceClass"] == "db.m7g.large"
    assert beside["DBSubnetGroup"]["DBSubnetGroupName"] == NAME
    assert [each["VpcSecurityGroupId"] for each in beside["VpcSecurityGroups"]] == ["sg-1234"]
    assert [each["DBParameterGroupName"] for each in beside["DBParameterGroups"]] == [f"{NAME}-17"]
    assert {tag["Key"]: tag["Value"] for tag in beside["TagList"]} == {"Project": "agentic-eks", "Environment": "dev"}


def test_what_was_not_restored_is_a_fault_and_the_server_is_deleted(
    rds: EmulatedRds, prefect_client: SyncPrefectClient
) -> None:
    change(postgres_place(rds.restored, rds.database), "DELETE FROM api_keys")

    with passwords_applied(rds.restored):
        drilled = practise(rds.server)

    assert drilled.faults[0] == "rows of api_keys: expected '1 or more', found '0'"
    assert rds.names() == [NAME]


def test_a_drill_that_breaks_off_leaves_no_server(rds: EmulatedRds, prefect_client: SyncPrefectClient) -> None:
    change(postgres_place(rds.restored, rds.database), "ALTER TABLE turns RENAME COLUMN asked_ms TO another")

    with passwords_applied(rds.restored), pytest.raises(ProgrammingError, match="asked_ms"):
        practise(rds.server)

    assert rds.names() == [NAME]


def test_a_server_that_does_not_come_is_a_fault_and_is_deleted(
    rds: EmulatedRds, prefect_client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def status(instance: DBInstance) -> str:
        return "creating" if instance.db_instance_identifier == BESIDE else "available"

    def ignored(instance: DBInstance, status: str) -> None: ...

    # The emulator never takes its time.
    monkeypatch.setattr(DBInstance, "status", property(status, ignored), raising=False)

    drilled = practise(rds.server, Objective(OBJECTIVE.point, timedelta(seconds=1)))

    assert "the server beside: expected 'available', found" in drilled.faults[0]
    assert "is 'creating' after 0:00:02" in drilled.faults[0]
    assert rds.names() == [NAME]

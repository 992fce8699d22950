"""The database server of the agent service in RDS, and what it holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr
from sqlalchemy.engine import URL

from agents.state.settings import Tls
from tasks.agent_service.access import CLIENT
from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.resource_names import name_prefix
from tasks.restore_drill.state_contents import StateContents, count_state
from tasks.secrets.vault import unlogged

READ_ONLY = "-c default_transaction_read_only=on"


@dataclass(frozen=True)
class DatabaseServer:
    """A PostgreSQL server of RDS, and the database on it; `identifier` is the server's name there.

    The password of its owner `user` lies in the secret `secret_arn`.
    """

    identifier: str
    host: str
    port: int
    database: str
    user: str
    secret_arn: str
    tls: Tls = "require"


def name_beside(identifier: str) -> str:
    """What a server is called that the drill restores; infra/modules/identity/databases.tf lets it, by this name."""
    return f"{identifier}-drill"


def database_server(settings: Environment, outputs: Mapping[str, Any]) -> DatabaseServer:
    """The one that the agent service uses; it is called as infra/modules/data/postgres.tf calls it."""
    found = outputs["data"]["postgres"][CLIENT]
    identifier = f"{name_prefix(settings.name)}-{CLIENT}"
    return DatabaseServer(
        identifier, found["host"], found["port"], found["database"], found["user"], found["secret_arn"]
    )


@task(task_run_name="read-owner-password", cache_policy=NO_CACHE, persist_result=False)
def owner_password(settings: Environment, secret_arn: str) -> SecretStr:
    """The password of the server's owner, which RDS keeps and renews itself.

    Raises:
        ClientError: the secret may not be read.
    """
    vault = client("secretsmanager", settings)
    with unlogged(), explained_credentials():
        return SecretStr(json.loads(vault.get_secret_value(SecretId=secret_arn)["SecretString"])["password"])


@task(task_run_name="count-{server.identifier}", cache_policy=NO_CACHE, persist_result=False)
def count_server(server: DatabaseServer, password: SecretStr, moment: datetime, patience: timedelta) -> StateContents:
    """What the server had at `moment`, read without a right to write.

    Raises:
        OperationalError: the server does not let us in, also after trying for as long as `patience`.
    """
    query = {"sslmode": server.tls, "connect_timeout": "10", "options": READ_ONLY}
    word = password.get_secret_value()
    place = URL.create("postgresql+psycopg", server.user, word, server.host, server.port, server.database, query)
    return count_state(place, moment, patience)

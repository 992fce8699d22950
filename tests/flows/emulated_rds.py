"""A database server in RDS for the restore drill: moto's API, over two real PostgreSQL servers.

moto ignores what is false in a request, so that the server beside keeps its source's standby and protection there.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
import psycopg
from moto.rds.models import rds_backends
from mypy_boto3_rds import RDSClient
from psycopg import sql

from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.restore_drill.database_server import DatabaseServer, database_server
from tests.postgres import PASSWORD, USER, PostgresServer

NAME, BESIDE = "agentic-eks-dev-agents", "agentic-eks-dev-agents-drill"
SETTINGS: Environment = load_environment(EnvironmentName.DEV)


@dataclass(frozen=True)
class EmulatedRds:
    """An account with the server `NAME`; what is restored beside it is the PostgreSQL server `restored`."""

    client: RDSClient
    restored: PostgresServer
    served: PostgresServer
    database: str
    secret: str

    @property
    def server(self) -> DatabaseServer:
        """As the flow is told by Terraform."""
        where = {"host": "serves.invalid", "port": self.served.port, "database": self.database, "user": USER}
        outputs = {"data": {"postgres": {"agents": {**where, "secret_arn": self.secret}}}}
        return replace(database_server(SETTINGS, outputs), tls="disable")

    def names(self) -> list[str | None]:
        """The servers of the account."""
        return [found.get("DBInstanceIdentifier") for found in self.client.describe_db_instances()["DBInstances"]]

    def beside(self, dumped: bytes) -> None:
        """Have the restored server hold what a dump does, under the same name."""
        name = self.restored.restore(dumped)
        with owner(self.restored) as connection:
            drop, rename = "DROP DATABASE IF EXISTS {}", "ALTER DATABASE {} RENAME TO {}"
            connection.execute(sql.SQL(drop).format(sql.Identifier(self.database)))
            connection.execute(sql.SQL(rename).format(sql.Identifier(name), sql.Identifier(self.database)))


@contextmanager
def owner(server: PostgresServer) -> Generator["psycopg.Connection[Any]"]:
    """A connection that may change databases and passwords."""
    with psycopg.connect(
        host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


def change_password(connection: "psycopg.Connection[Any]", password: str) -> None:
    """Give the owner another one."""
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(USER), password))


@contextmanager
def passwords_applied(restored: PostgresServer) -> Generator[dict[str, Any]]:
    """Do in the background what RDS does after ModifyDBInstance; gives what RDS has of the server beside by then."""
    seen: dict[str, Any] = {}
    done = threading.Event()

    def apply() -> None:
        while not done.wait(0.1):
            made: Any = rds_backends["123456789012"]["us-east-1"].databases.get(BESIDE)
            password = made and made._master_user_password
            if password not in (None, "of-the-source", "of-a-leftover"):
                seen.update(boto3.client("rds").describe_db_instances(DBInstanceIdentifier=BESIDE)["DBInstances"][0])
                change_password(connection, password)
                return

    with owner(restored) as connection:
        thread = threading.Thread(target=apply)
        thread.start()
        try:
            yield seen
        finally:
            done.set()
            thread.join()
            change_password(connection, PASSWORD)


def make_server(client: RDSClient, name: str, port: int, password: str) -> None:
    """What Terraform makes, as far as a restored server takes it over."""
    group = f"{name}-17"
    client.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily="postgres17", Description="any")
    subnets = [found.get("SubnetId", "") for found in boto3.client("ec2").describe_subnets()["Subnets"]]
    client.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="any", SubnetIds=subnets)
    client.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.m7g.large",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername=USER,
        MasterUserPassword=password,
        Port=port,
        DBParameterGroupName=group,
        DBSubnetGroupName=name,
        VpcSecurityGroupIds=["sg-1234"],
        Tags=[{"Key": "Project", "Value": "agentic-eks"}, {"Key": "Environment", "Value": "dev"}],
    )

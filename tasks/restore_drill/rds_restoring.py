"""A database server of RDS, restored beside itself from its log, to a second.

See https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import stamina
from botocore.exceptions import WaiterError
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.restore_drill.database_server import DatabaseServer, name_beside
from tasks.runs.log import run_log
from tasks.secrets.vault import unlogged

SECONDS_BETWEEN_LOOKS = 30
# RDS deletes a server in some minutes, and none that it is still making.
GONE_WITHIN = timedelta(hours=1)


class NotRestored(Exception):
    """RDS did not make, or delete, the server beside in time; says how it was left."""


@task(task_run_name="find-restorable-moment", cache_policy=NO_CACHE, persist_result=False)
def latest_restorable(settings: Environment, server: DatabaseServer) -> datetime:
    """The last moment that the server can be restored to, by the log that RDS has kept.

    Raises:
        ClientError: there is no such server, or it may not be looked at.
    """
    # RDS takes a moment before the one that it names.
    return _described(settings, server.identifier)["LatestRestorableTime"] - timedelta(seconds=1)


@task(task_run_name="restore-{server.identifier}-beside", cache_policy=NO_CACHE, persist_result=False)
def restore_server(settings: Environment, server: DatabaseServer, moment: datetime, longest: timedelta) -> None:
    """Make a server beside as the server was at `moment`: as reachable and as large, but in one zone.

    Raises:
        NotRestored: it is not available after `longest`.
        ClientError: RDS refuses.
    """
    rds, beside = client("rds", settings), name_beside(server.identifier)
    source = _described(settings, server.identifier)
    own_tags = [tag for tag in source["TagList"] if not tag["Key"].startswith("aws:")]
    with explained_credentials():
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=server.identifier,
            TargetDBInstanceIdentifier=beside,
            RestoreTime=moment,
            DBInstanceClass=source["DBInstanceClass"],
            DBSubnetGroupName=source["DBSubnetGroup"]["DBSubnetGroupName"],
            VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in source["VpcSecurityGroups"]],
            DBParameterGroupName=source["DBParameterGroups"][0]["DBParameterGroupName"],
            MultiAZ=False,
            PubliclyAccessible=False,
            DeletionProtection=False,
            Tags=own_tags,
        )
        _wait(rds, "db_instance_available", beside, longest)
    run_log().info("restored %r as %r", server.identifier, beside)


@task(task_run_name="open-server-beside-{server.identifier}", cache_policy=NO_CACHE, persist_result=False)
def open_server(settings: Environment, server: DatabaseServer) -> tuple[DatabaseServer, SecretStr]:
    """Give the owner of the server beside a password of its own: the restored one has that of then, which is renewed.

    Returns the server, and the password.
    """
    beside, password = name_beside(server.identifier), SecretStr(secrets.token_urlsafe(32))
    with unlogged(), explained_credentials():
        client("rds", settings).modify_db_instance(
            DBInstanceIdentifier=beside, MasterUserPassword=password.get_secret_value(), ApplyImmediately=True
        )
    endpoint = _described(settings, beside)["Endpoint"]
    return replace(server, identifier=beside, host=endpoint["Address"], port=endpoint["Port"]), password


@task(task_run_name="remove-server-beside-{identifier}", cache_policy=NO_CACHE, persist_result=False)
def remove_server(settings: Environment, identifier: str) -> None:
    """Delete the server that was restored beside `identifier`, with all its backups; nothing when there is none.

    Raises:
        ClientError: RDS refuses, or has not begun to delete it within `GONE_WITHIN`.
        NotRestored: it is not gone after `GONE_WITHIN`.
    """
    rds, beside = client("rds", settings), name_beside(identifier)
    # One that is being made, or deleted already, is refused until that is done.
    patiently = stamina.RetryingCaller(attempts=None, timeout=GONE_WITHIN, wait_max=SECONDS_BETWEEN_LOOKS)
    with explained_credentials():
        try:
            patiently(
                rds.exceptions.InvalidDBInstanceStateFault,
                rds.delete_db_instance,
                DBInstanceIdentifier=beside,
                SkipFinalSnapshot=True,
                DeleteAutomatedBackups=True,
            )
        except rds.exceptions.DBInstanceNotFoundFault:
            return
        _wait(rds, "db_instance_deleted", beside, GONE_WITHIN)
    run_log().info("deleted %r", beside)


def _described(settings: Environment, identifier: str) -> Mapping[str, Any]:
    with explained_credentials():
        (found,) = client("rds", settings).describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return found


def _wait(rds: Any, waiter: str, identifier: str, longest: timedelta) -> None:
    most = max(1, int(longest.total_seconds()) // SECONDS_BETWEEN_LOOKS)
    looks = {"Delay": SECONDS_BETWEEN_LOOKS, "MaxAttempts": most}
    try:
        rds.get_waiter(waiter).wait(DBInstanceIdentifier=identifier, WaiterConfig=looks)
    except WaiterError as error:
        left = error.last_response.get("DBInstances", [{}])[0].get("DBInstanceStatus", "gone")
        raise NotRestored(f"server {identifier!r} is {left!r} after {longest}: {error}") from error

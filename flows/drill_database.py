"""The part of `drill` that restores the database server of the agent service."""

from datetime import UTC, datetime, timedelta
from time import monotonic

from pydantic import SecretStr

from tasks.drift.compared import Compared
from tasks.environment import Environment
from tasks.restore_drill.database_server import DatabaseServer, count_server
from tasks.restore_drill.rds_restoring import NotRestored, latest_restorable, open_server, remove_server, restore_server
from tasks.restore_drill.report import Objective, Restoration
from tasks.restore_drill.state_contents import compare_state

# A new password holds some seconds after RDS has said that the server is available.
SIGN_IN_WITHIN = timedelta(minutes=10)
REMEDY = (
    "The server that serves was not touched, and the one beside is deleted. If rows are missing, ask AWS, and keep a "
    "dump until the drill passes; if it took too long or too much was in no log, promise less in "
    "`data.backup.database_drill`"
)


def drill_database(
    settings: Environment, server: DatabaseServer, password: SecretStr, objective: Objective
) -> Restoration:
    """Restore the server beside to the last moment there is, count what it has, and delete it."""
    # One that a drill left which was ended from outside.
    remove_server(settings, server.identifier)
    moment = latest_restorable(settings, server)
    at_risk = datetime.now(UTC) - moment
    wanted = count_server(server, password, moment, timedelta())
    began = monotonic()
    try:
        # Longer than is promised, so that the report can say how long it took.
        restore_server(settings, server, moment, 2 * objective.time)
        beside, its_password = open_server(settings, server)
        compared = compare_state(wanted, count_server(beside, its_password, moment, SIGN_IN_WITHIN))
    except NotRestored as error:
        compared = (Compared("the server beside", "available", str(error)),)
    finally:
        took = timedelta(seconds=monotonic() - began)
        # It costs as much as the one that serves.
        remove_server(settings, server.identifier)
    restored = f"{server.identifier} as of {moment:%Y-%m-%d %H:%M} UTC"
    return Restoration("state", restored, objective, at_risk, took, compared, REMEDY)

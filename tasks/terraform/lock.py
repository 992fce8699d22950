"""Who holds an environment's state.

Terraform's lock names a machine and a user, not a flow run: so the run that is about to take it first leaves a record
of itself in the state bucket.
"""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psutil
from prefect.runtime import flow_run
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tasks.terraform.root import TerraformRoot
from tasks.terraform.state_bucket import StateLocation
from tasks.terraform.stored_objects import read_object, write_object

# Terraform takes the lock within seconds of the record; a lock that is younger is somebody else's.
_TAKEN_WITHIN = timedelta(minutes=5)


class StateLocked(Exception):
    """Somebody else holds the state; says who, since when, and what can be done."""


class Lock(BaseModel):
    """What Terraform writes about itself into the lock; `who` is user@machine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    identifier: str = Field(validation_alias=AliasChoices("ID", "identifier"))
    operation: str = Field(validation_alias=AliasChoices("Operation", "operation"))
    who: str = Field(validation_alias=AliasChoices("Who", "who"))
    created: datetime = Field(validation_alias=AliasChoices("Created", "created"))

    def describe(self) -> str:
        """For a person: which lock, of whom, for what, since when and for how long."""
        minutes = (datetime.now(UTC) - self.created).total_seconds() / 60
        since = self.created.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"lock {self.identifier!r} of {self.who!r} for {self.operation!r}, since {since} ({minutes:.0f} minutes)"


class Holder(BaseModel):
    """The run that was about to take the lock; its terraform works in `directory` on `host`.

    `flow_run_id` is None when it ran outside of Prefect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flow_run_id: UUID | None
    started: datetime
    host: str
    directory: Path

    def took(self, lock: Lock) -> bool:
        """Whether this is the holder of `lock`, and not somebody before or after it."""
        in_time = self.started <= lock.created <= self.started + _TAKEN_WITHIN
        return in_time and lock.who.endswith(f"@{self.host}")

    def still_works(self) -> bool:
        """Whether its terraform runs on this machine, though its flow run may have been killed."""
        return self.host == socket.gethostname() and any(
            _works_in(process, self.directory) for process in psutil.process_iter()
        )


@contextmanager
def recorded_holder(root: TerraformRoot) -> Generator[None]:
    """Leave the record of this run, then let the block take the lock.

    Raises:
        StateLocked: somebody holds it; their record stays.
    """
    refuse_held(root.backend)
    identifier = flow_run.get_id()
    holder = Holder(
        flow_run_id=UUID(identifier) if identifier else None,
        started=datetime.now(UTC),
        host=socket.gethostname(),
        directory=root.directory,
    )
    write_object(root.backend, _holder_key(root.backend), holder.model_dump_json().encode())
    yield


def refuse_held(location: StateLocation) -> None:
    """Stop while somebody holds the state.

    Raises:
        StateLocked: says who, and since when.
    """
    if (lock := current_lock(location)) is not None:
        raise StateLocked(
            f"the state of {location.environment.value!r} is held: {lock.describe()}; "
            f"{holder_of(lock, location)}. If nobody works there any more, run again with break_lock={lock.identifier}"
        )


def current_lock(location: StateLocation) -> Lock | None:
    """The lock on the state, None when nobody holds it."""
    content = read_object(location, location.lock_key)
    return None if content is None else Lock.model_validate_json(content)


def current_holder(location: StateLocation) -> Holder | None:
    """The record of the run that took the lock last."""
    content = read_object(location, _holder_key(location))
    return None if content is None else Holder.model_validate_json(content)


def holder_of(lock: Lock, location: StateLocation) -> str:
    """For a person: which flow run holds `lock`, as far as its record says."""
    holder = current_holder(location)
    if holder is None or not holder.took(lock):
        return "no flow run says that it took it (a person at a terminal?)"
    run = f"flow run {holder.flow_run_id}" if holder.flow_run_id else "a run outside of Prefect"
    return f"{run} took it on {holder.host!r}"


def _holder_key(location: StateLocation) -> str:
    return f"holders/{location.environment.value}.json"


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return Path(process.cwd()) == directory
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        # Gone meanwhile, or of another user, who has no terraform of ours.
        return False

"""The proof that nothing of an environment is left: by its tags, by its names, and by Terraform's state."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.aws_teardown.named import named_things
from tasks.aws_teardown.tagged import exists, tagged_arns
from tasks.environment import Environment
from tasks.runs.log import run_log

# What was just deleted may be listed by its tags for a while.
SETTLES_WITHIN_SECONDS = 180
POLL_SECONDS = 5


class NotAllGone(Exception):
    """Something of the environment is still there; says what."""


@dataclass(frozen=True)
class Leftover:
    """One thing that is still there, and how it was found; not `certain` where a deleted thing may be listed too."""

    what: str
    found_by: str
    certain: bool


@dataclass(frozen=True)
class PendingKey:
    """A KMS key that AWS deletes on a date; it can neither be used nor be deleted at once."""

    arn: str
    deleted_on: datetime


@dataclass(frozen=True)
class Remains:
    """What is left of an environment: nothing but keys, when it is torn down."""

    leftovers: tuple[Leftover, ...]
    keys: tuple[PendingKey, ...]

    def rows(self) -> list[dict[str, str]]:
        """As a table: what should not be there first."""
        return [
            *({"what": each.what, "found by": each.found_by, "deleted on": ""} for each in self.leftovers),
            *(
                {"what": key.arn, "found by": "its tags", "deleted on": f"{key.deleted_on:%Y-%m-%d}"}
                for key in self.keys
            ),
        ]

    def describe(self, state_bucket: str) -> str:
        """For a person: whether the environment is gone, and what stays on purpose."""
        dates = ", ".join(sorted({f"{key.deleted_on:%Y-%m-%d}" for key in self.keys}))
        keys = f" but {len(self.keys)} KMS keys that AWS deletes on {dates}" if self.keys else ""
        left = f"Still there: {len(self.leftovers)}" if self.leftovers else f"Nothing is left{keys}"
        return (
            f"{left}. The state bucket {state_bucket!r} stays on purpose, with the state's history and saved plans: "
            "it is the account's, not the environment's"
        )


@task(task_run_name="look-for-leftovers", cache_policy=NO_CACHE, persist_result=False)
def look_for_leftovers(settings: Environment, addresses: Sequence[str]) -> Remains:
    """Look for everything of the environment; `addresses` is what Terraform's state still holds.

    Looks again for a while as long as all that is found may be an echo of what was deleted.
    """
    deadline = time.monotonic() + SETTLES_WITHIN_SECONDS
    with explained_credentials():
        remains = _look(settings, addresses)
        while remains.leftovers and not any(each.certain for each in remains.leftovers) and time.monotonic() < deadline:
            run_log().info("%d things are still listed by their tags; looking again", len(remains.leftovers))
            time.sleep(POLL_SECONDS)
            remains = _look(settings, addresses)
    return remains


def require_nothing_left(settings: Environment, remains: Remains) -> None:
    """Stop unless only keys are left that wait for their deletion.

    Raises:
        NotAllGone: names what is left.
    """
    if remains.leftovers:
        name = settings.name.value
        listed = "".join(f"\n- {each.what} (found by {each.found_by})" for each in remains.leftovers)
        raise NotAllGone(
            f"{name!r} is not gone, {len(remains.leftovers)} left; delete what the list names (with the controller "
            f"that made it, or by hand) and run teardown/{name} again:{listed}"
        )


def _look(settings: Environment, addresses: Sequence[str]) -> Remains:
    leftovers = [Leftover(address, "Terraform's state", certain=True) for address in addresses]
    keys: list[PendingKey] = []
    for arn in tagged_arns(settings):
        if ":kms:" in arn and ":key/" in arn:
            key = client("kms", settings).describe_key(KeyId=arn)["KeyMetadata"]
            if key["KeyState"] == "PendingDeletion":
                keys.append(PendingKey(arn, key["DeletionDate"]))
            else:
                leftovers.append(Leftover(arn, "its tags", certain=True))
        elif (there := exists(settings, arn)) is not False:
            leftovers.append(Leftover(arn, "its tags", certain=there is True))
    leftovers += [Leftover(what, "its name", certain=True) for what in named_things(settings)]
    return Remains(tuple(leftovers), tuple(sorted(keys, key=lambda key: key.arn)))

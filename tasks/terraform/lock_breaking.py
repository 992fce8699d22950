"""Breaking the hold of a run that ended without letting go of the state."""

import time

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from tasks.runs.log import run_log
from tasks.terraform.commands import force_unlock
from tasks.terraform.lock import Holder, Lock, StateLocked, current_holder, current_lock, holder_of, refuse_held
from tasks.terraform.root import TerraformRoot

POLL_SECONDS = 2.0


@task(task_run_name="free-state", cache_policy=NO_CACHE, persist_result=False)
def free_state(root: TerraformRoot, break_lock: str | None) -> None:
    """Let nobody who is gone hold the state; needs an initialised root.

    Who holds the lock, and since when, is said first. It is broken when `break_lock` is its id, or when the flow run
    that took it is in a final state. A terraform of such a run that still works on this machine is waited for: it is
    at work on a plan that was approved, and frees the lock itself.

    Raises:
        StateLocked: somebody holds it who may be at work, or `break_lock` is the id of another lock.
    """
    lock = current_lock(root.backend)
    if lock is None:
        return
    run_log().warning("the state is held: %s; %s", lock.describe(), holder_of(lock, root.backend))
    if break_lock is not None and break_lock != lock.identifier:
        raise StateLocked(
            f"break_lock={break_lock!r} is not the lock that is held: {lock.describe()}; nothing was done"
        )
    holder = current_holder(root.backend)
    if break_lock is None and holder is not None and holder.took(lock) and _is_over(holder):
        _await_end(holder, lock, root)
        lock = current_lock(root.backend)
        if lock is None:
            return
        run_log().warning("flow run %s is over: breaking its lock %s", holder.flow_run_id, lock.identifier)
    elif break_lock is None:
        refuse_held(root.backend)
    force_unlock(root, lock.identifier)


def _is_over(holder: Holder) -> bool:
    if holder.flow_run_id is None:
        return False
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(holder.flow_run_id).state
        except ObjectNotFound:
            # Of another Prefect server, or deleted: nobody knows.
            return False
    return state is not None and state.is_final()


def _await_end(holder: Holder, lock: Lock, root: TerraformRoot) -> None:
    said = False
    while holder.still_works() and current_lock(root.backend) == lock:
        if not said:
            run_log().warning("the terraform of flow run %s still works; waiting for its end", holder.flow_run_id)
            said = True
        time.sleep(POLL_SECONDS)

"""The state that a run before could not write, because AWS was out of reach when its apply ended.

Terraform then leaves it as a file in its directory, which `open_root` keeps: the only record of what was made.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.runs.log import run_log
from tasks.terraform.failures import TerraformFailed
from tasks.terraform.invocation import log_command
from tasks.terraform.lock import current_holder
from tasks.terraform.root import DIRECTORY_PREFIX, UNSAVED_STATE, TerraformRoot
from tasks.terraform.saved_plan import NO_STATE, StateVersion
from tasks.terraform.state_bucket import StateLocation
from tasks.terraform.stored_objects import read_object


class UnsavedStateRefused(Exception):
    """A state that a run left on this machine does not follow the one in the bucket; says where both are."""


@task(task_run_name="save-unsaved-state", cache_policy=NO_CACHE, persist_result=False)
def save_unsaved_state(root: TerraformRoot) -> None:
    """Write what earlier runs on this machine could not; needs an initialised root whose state nobody holds.

    Terraform itself refuses a state of another lineage, and one that is older than the one in the bucket.

    Raises:
        UnsavedStateRefused: the state in the bucket went on without it.
        MissingCredentials: AWS refuses the credentials.
        StateLocked: somebody holds the state.
    """
    for left in _left_for(root.backend):
        try:
            log_command(root, "state push", str(left))
        except TerraformFailed as error:
            raise UnsavedStateRefused(
                f"a run before could not write its state, which is {str(left)!r}, and Terraform does not take it now: "
                f"{error}\nCompare it with the state in the bucket (`terraform state pull`), take over what it alone "
                "has (`terraform import`), and remove its directory"
            ) from error
        run_log().warning("saved the state that a run before could not write: %s", left)
        shutil.rmtree(left.parents[1])


def _left_for(location: StateLocation) -> Iterator[Path]:
    """What belongs to the state in this very bucket: it has its lineage, or was left by the run that held it last.

    The bucket's name alone proves nothing: emulated accounts have the same ones again and again.
    """
    content = read_object(location, location.key)
    now = NO_STATE if content is None else StateVersion.model_validate_json(content)
    holder = current_holder(location)
    for left in sorted(Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*/infra/{UNSAVED_STATE}")):
        if left.stat().st_uid != os.getuid():
            continue  # Anybody may put a file there, and a state decides what is destroyed.
        # What `terraform init` noted there: where that state belongs.
        noted = left.parent / ".terraform" / "terraform.tfstate"
        backend = json.loads(noted.read_text(encoding="utf-8"))["backend"]["config"]
        follows = StateVersion.model_validate_json(left.read_bytes()).lineage == now.lineage
        held_last = holder is not None and holder.directory == left.parent
        if (backend["bucket"], backend["key"]) == (location.bucket, location.key) and (follows or held_last):
            yield left

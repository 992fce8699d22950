"""What an environment's stages leave on a laptop: removed by name, then looked for."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.platforms import Platform


class NotAllGone(Exception):
    """Something that the teardown removes is still there; says what."""


@task(task_run_name="remove-{name}", cache_policy=NO_CACHE)
def remove_component(platform: Platform, name: str) -> int | None:
    """Stop a component and forget it; returns the id of the process that it had, None when it had none."""
    pids = [state.pid for state in platform.list_components() if state.name == name]
    platform.remove(name)
    return pids[0] if pids else None


@task(task_run_name="delete-files", cache_policy=NO_CACHE)
def delete(paths: Sequence[Path]) -> list[str]:
    """Delete these files and directories; returns those that were there."""
    there = [path for path in paths if path.exists()]
    for path in there:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [str(path) for path in there]


@task(task_run_name="prove-nothing-is-left", cache_policy=NO_CACHE)
def require_gone(platform: Platform, components: Mapping[str, int | None], paths: Sequence[Path]) -> None:
    """Look for everything that was removed; `components` maps a name to the process that the component had.

    Raises:
        NotAllGone: something is still there; says what.
    """
    deployed = {state.name for state in platform.list_components()}
    left = [
        *(name for name in components if name in deployed),
        *(f"process {pid} of {name}" for name, pid in components.items() if pid is not None and psutil.pid_exists(pid)),
        *(str(path) for path in paths if path.exists()),
    ]
    if left:
        raise NotAllGone(f"after the teardown these are still there: {left!r}; run it again, or remove them by hand")

"""What an environment's stages leave on a laptop: removed by name, then looked for."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.platforms import Platform


class NotAllGone(Exception):
    """Something that the teardown removes is still there; says what."""


@task(task_run_name="remove-{name}", cache_policy=NO_CACHE)
def remove_component(platform: Platform, name: str) -> None:
    """Stop a component and forget it."""
    platform.remove(name)


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
def require_gone(platform: Platform, components: Sequence[str], paths: Sequence[Path]) -> None:
    """Look for everything that was removed. Raises `NotAllGone` with what is still there."""
    deployed = {state.name for state in platform.list_components()}
    left = [*(name for name in components if name in deployed), *(str(path) for path in paths if path.exists())]
    if left:
        raise NotAllGone(f"after the teardown these are still there: {left!r}; run it again, or remove them by hand")

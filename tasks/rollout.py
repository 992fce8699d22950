"""The rollout of a stage's Helm releases to the environment's cluster on AWS, as the flows call it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_markdown, publish_table
from tasks.environment import Environment
from tasks.environment.data import ImageName
from tasks.environment_outputs import load_outputs
from tasks.helm.derivations.derivation import Outputs
from tasks.helm.preparation import Sources
from tasks.helm.release_artifacts import plan_markdown, release_rows
from tasks.helm.releases_file import Stage, releases_file
from tasks.helm.rollout import ReleaseResult, require_rolled_out
from tasks.helm.stage import PlannedRelease, plan_releases, roll_out_releases
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.identity import Destination
from tasks.released_images import ImagesMissing, load_images
from tasks.run_log import run_log


@task(task_run_name="roll-out-{stage}", cache_policy=NO_CACHE, persist_result=False)
def roll_out(settings: Environment, stage: Stage) -> list[ReleaseResult]:
    """Roll the releases of `stage` out, and publish what became of each as the table `<environment>-<stage>-releases`.

    Raises:
        RolloutFailed: a release could not be rolled out, or does not work; the table has all of them.
        InvalidReleases: a file, chart or value is wrong; nothing was changed.
        OutputsMissing: the environment was not provisioned.
        NoCluster, WrongCluster, ClusterFault: the cluster cannot be used.
    """
    with _environment(settings) as there:
        results = roll_out_releases(settings, there.outputs, there.cluster, shipped_sources(), run_log().info, stage)
    publish_table(settings.name, stage, "releases", release_rows(results), f"The Helm releases of {stage}")
    require_rolled_out(results)
    return results


@task(task_run_name="plan-rollout-{stage}", cache_policy=NO_CACHE, persist_result=False)
def plan_rollout(settings: Environment, stage: Stage) -> list[PlannedRelease]:
    """Publish what `roll_out` would do as the page `<environment>-<stage>-plan`, and change nothing.

    Raises:
        InvalidReleases, OutputsMissing, NoCluster, WrongCluster, ClusterFault: as for `roll_out`.
    """
    with _environment(settings) as there:
        planned = plan_releases(settings, there.outputs, there.cluster, shipped_sources(), run_log().info, stage)
    publish_markdown(settings.name, stage, "plan", plan_markdown(planned), f"What a rollout of {stage} would change")
    return planned


@dataclass(frozen=True)
class _Provisioned:
    outputs: Outputs
    cluster: Destination


def shipped_sources() -> Sources:
    """Where the repository describes the releases."""
    return Sources(releases_file())


@contextmanager
def _environment(settings: Environment) -> Generator[_Provisioned]:
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as cluster:
        yield _Provisioned({**outputs, "images": known_images(settings)}, cluster)


def known_images(settings: Environment) -> Mapping[ImageName, str]:
    """The images that were released for the environment, by name; empty where none was yet."""
    try:
        return load_images(settings.name)
    except ImagesMissing:
        # A stage whose releases run none of our images needs none; `require_image` refuses one that does.
        return {}

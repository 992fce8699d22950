"""The rollout of a stage's Helm releases to the environment's cluster on AWS, as the flows call it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_markdown, publish_table
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.helm.derivations.derivation import Outputs
from tasks.helm.preparation import Sources
from tasks.helm.release_artifacts import plan_markdown, release_counts, release_rows
from tasks.helm.releases_file import Stage, releases_file
from tasks.helm.rollout import ReleaseResult, require_rolled_out
from tasks.helm.stage import PlannedRelease, plan_releases, roll_out_releases
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.identity import Destination
from tasks.release_facts import known_images, release_facts
from tasks.runs.log import run_log

NO_FACTS: Mapping[str, object] = {}


@task(task_run_name="roll-out-{stage}", cache_policy=NO_CACHE, persist_result=False)
def roll_out(settings: Environment, stage: Stage, facts: Mapping[str, object] = NO_FACTS) -> list[ReleaseResult]:
    """Roll the releases of `stage` out, and publish what became of each as the table `<environment>-<stage>-releases`.

    `facts` are laid over Terraform's outputs, for what only the caller knows.

    Raises:
        RolloutFailed: a release could not be rolled out, or does not work; the table has all of them.
        InvalidReleases: a file, chart or value is wrong; nothing was changed.
        OutputsMissing: the environment was not provisioned.
        NoCluster, WrongCluster, ClusterFault: the cluster cannot be used.
    """
    with _environment(settings, stage, facts) as there:
        results = roll_out_releases(settings, there.outputs, there.cluster, shipped_sources(), run_log().info, stage)
    publish_table(settings.name, stage, "releases", release_rows(results), release_counts(results))
    require_rolled_out(results)
    return results


@task(task_run_name="plan-rollout-{stage}", cache_policy=NO_CACHE, persist_result=False)
def plan_rollout(settings: Environment, stage: Stage) -> list[PlannedRelease]:
    """Publish what `roll_out` would do as the page `<environment>-<stage>-plan`, and change nothing.

    Raises:
        InvalidReleases, OutputsMissing, NoCluster, WrongCluster, ClusterFault: as for `roll_out`.
    """
    with _environment(settings, stage, {}) as there:
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
def _environment(settings: Environment, stage: Stage, facts: Mapping[str, object]) -> Generator[_Provisioned]:
    outputs = load_outputs(settings.name)
    known = release_facts(settings, outputs) if stage == "agents" else {**outputs, "images": known_images(settings)}
    with open_environment_cluster(settings, outputs) as cluster:
        yield _Provisioned({**known, **facts}, cluster)

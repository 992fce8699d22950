"""The release of the models as it was: one revision back, or several."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.helm.records import DEPLOYED, read_records
from tasks.helm.target import open_target
from tasks.helm.upgrade import GRACE_SECONDS, require_own
from tasks.kubernetes.environment_cluster import open_environment_cluster

RELEASE = ("models", "models")
SECONDS = 3600


class NoSuchRevision(ValueError):
    """The release of the models has no such revision to go back to."""


@task(task_run_name="roll-models-back-to-{revision}", cache_policy=NO_CACHE, persist_result=False)
def roll_back_models(settings: Environment, revision: int) -> int:
    """Bring the release `models` back to `revision`, as Helm has recorded it; returns the number of the new revision.

    The next run without `rollback_to` brings what the environment file says.

    Raises:
        NoSuchRevision: it is not there, or no earlier one.
        ForeignRelease: somebody else installed it.
        DeadlinePassed: its servers were not ready in time.
        ClusterFault: the cluster refuses or does not answer.
    """
    namespace, name = RELEASE
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        record = read_records(target.connection, name).get(RELEASE)
        newest = record.revision if record else 0
        if record is None or not 0 < revision < newest:
            earlier = f"1 to {newest - 1}" if newest > 1 else "none"
            raise NoSuchRevision(
                f"rollback_to = {revision}: the release {name!r} has no such earlier revision; there are {earlier}, "
                "of which Helm keeps the last ten"
            )
        require_own(settings.name.value, record)
        arguments = ["rollback", name, str(revision), "--namespace", namespace, "--wait", "--timeout", f"{SECONDS}s"]
        target.helm.run(f"roll {name!r} back to revision {revision}", arguments, SECONDS + GRACE_SECONDS)
        after = read_records(target.connection, name)[RELEASE]
        assert after.status == DEPLOYED  # noqa: S101 - helm returns only then
        return after.revision

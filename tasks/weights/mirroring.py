"""The mirror of a model's weights, as the flow `models` calls it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.runs.log import run_log
from tasks.secret_value import stored_secret
from tasks.weights.hub import open_hub
from tasks.weights.mirror import Mirrored, Place, mirror
from tasks.weights.places import repository_weights, weights_prefix

TOKEN = "weights-token"  # noqa: S105 - a name


@task(task_run_name="mirror-{name}", cache_policy=NO_CACHE, persist_result=False)
def mirror_weights(settings: Environment, name: str) -> Mirrored:
    """Have the weights of the model called `name` in the environment's bucket, at their revision, checked by hash.

    A run that was stopped is taken up where it was: files that arrived whole are not copied again.

    Raises:
        WeightsRefused: licence or hash differ from the file's, or the hub does not give the files.
        OutputsMissing: the environment was not provisioned.
    """
    model = settings.models.catalogue[name]
    weights = repository_weights(name, model)
    bucket = load_outputs(settings.name)["data"]["buckets"]["models"]["name"]
    place = Place(client("s3", settings), bucket, weights_prefix(name, model))
    with open_hub(weights.repository, weights.revision, stored_secret(settings, TOKEN)) as hub:
        mirrored = mirror(name, weights, hub, place, run_log().info)
    if weights.manifest_sha256 is None:
        run_log().warning(
            "%s: the file pins no hash; to hold on to what was mirrored, write manifest_sha256 = %r into "
            "models.catalogue.%s.weights",
            name,
            mirrored.manifest_sha256,
            name,
        )
    return mirrored

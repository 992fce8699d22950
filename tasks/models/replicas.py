"""An environment with another number of model servers than its file says."""

from tasks.environment import Environment
from tasks.environment.models import SERVED_IN_CLUSTER, Model


def with_replicas(settings: Environment, replicas: int) -> Environment:
    """The environment with `replicas` servers of each model that runs in its cluster, checked like a file.

    A model that is scaled by itself may have more, up to the file's `most_replicas`, unless `replicas` is 0.

    Raises:
        ValueError: there are fewer than 0, or the pools cannot hold so many.
    """
    catalogue = {
        name: _changed(model, replicas) if model.runs_on in SERVED_IN_CLUSTER else model.model_dump(mode="json")
        for name, model in settings.models.catalogue.items()
    }
    document = settings.model_dump(mode="json")
    document["models"]["catalogue"] = catalogue
    return Environment.model_validate(document, strict=False)


def _changed(model: Model, replicas: int) -> dict[str, object]:
    changed: dict[str, object] = {**model.model_dump(mode="json"), "replicas": replicas}
    serving = model.serving
    if serving is not None and serving.most_replicas is not None and serving.most_replicas < replicas:
        changed["serving"] = {**serving.model_dump(mode="json"), "most_replicas": replicas}
    return changed

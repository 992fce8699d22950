"""Where the bucket keeps a model's weights, and what they were compiled to."""

import hashlib
import json
from collections.abc import Mapping

from tasks.environment.models import Model, RepositoryWeights

MANIFEST = "manifest.json"


def repository_weights(name: str, model: Model) -> RepositoryWeights:
    """The weights of a model that has some. Raises ValueError for one that has none."""
    if model.weights is None:
        raise ValueError(f"models.catalogue.{name} has no weights: it runs on {model.runs_on!r}")
    return model.weights


def weights_prefix(name: str, model: Model) -> str:
    """The prefix of the mirrored files: one for each revision, so that going back needs no mirror."""
    weights = repository_weights(name, model)
    return f"weights/{weights.repository}/{weights.revision}"


def compiled_prefix(name: str, model: Model, sdk: str, engine: Mapping[str, object]) -> str:
    """The prefix of the compiled model: one for each revision, Neuron SDK, number of cores and shape."""
    weights = repository_weights(name, model)
    shape = hashlib.sha256(json.dumps(dict(engine), sort_keys=True).encode()).hexdigest()[:16]
    return f"compiled/{weights.repository}/{weights.revision}/neuron-{sdk}/{shape}"

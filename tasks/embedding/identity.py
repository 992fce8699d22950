"""The identity of an embedding model that this machine runs, by which vectors of two models are told apart."""

from agents.knowledge.generation import EmbeddingIdentity
from tasks.environment.models import Models
from tasks.llama_cpp.model_files import ModelUnavailable


def embedding_identity(models: Models, name: str) -> EmbeddingIdentity:
    """What the model `name` is; the fingerprint is the SHA-256 that the variable file demands of its file.

    Raises:
        ModelUnavailable: the model is not a packaged one, or has no dimension.
    """
    model = models.catalogue[name]
    if model.packaged is None or model.dimension is None:
        raise ModelUnavailable(
            f"the embedding model {name!r}: embedding on this machine needs a packaged model with a dimension"
            f", but the catalogue says runs_on = {model.runs_on!r}"
        )
    return EmbeddingIdentity(model=name, fingerprint=model.packaged.sha256, dimension=model.dimension)

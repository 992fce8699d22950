"""The identity of the embedding model that this machine runs, by which vectors of two models are told apart."""

from agents.knowledge.generation import EmbeddingIdentity
from tasks.environment.models import Models
from tasks.model_files import ModelUnavailable


def embedding_identity(models: Models) -> EmbeddingIdentity:
    """Which model makes the vectors; the fingerprint is the SHA-256 that the variable file demands of its file.

    Raises:
        ModelUnavailable: the model is not a packaged one, or has no dimension.
    """
    model = models.catalogue[models.embedding]
    if model.packaged is None or model.dimension is None:
        raise ModelUnavailable(
            f"models.embedding = {models.embedding!r}: embedding on this machine needs a packaged model with a "
            f"dimension, but the catalogue says runs_on = {model.runs_on!r}"
        )
    return EmbeddingIdentity(model=models.embedding, fingerprint=model.packaged.sha256, dimension=model.dimension)

"""The embedding model of a refresh: which one it is, its files, and the work that it is given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect import task

from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.sync import Provenance
from tasks.embedding.identity import embedding_identity
from tasks.environment import Environment
from tasks.environment.knowledge import Source
from tasks.environment.models import Models
from tasks.llama_cpp.model_files import ModelFiles, ModelUnavailable, ensure_model
from tasks.refresh.examining import embed_by
from tasks.refresh.gate_scores import Embed
from tasks.refresh.inputs import made_from, work_with
from tasks.refresh.ray_data import EmbeddingWork


@task(task_run_name="check-embedding-model")
def ensure_embedding_model(models: Models, name: str, directory: Path) -> ModelFiles:
    """Have the files of an embedding model, checked by hash.

    Raises:
        ModelUnavailable: they are not there and cannot be built.
    """
    return _files(models, name, directory)


def former_embedding(models: Models, directory: Path) -> Mapping[EmbeddingIdentity, Embed]:
    """How the gate embeds questions for a generation of the former model; empty where none is named.

    Raises:
        ModelUnavailable: it is no packaged model. The function raises it too, when its files are not there.
    """
    name = models.former_embedding
    if name is None:
        return {}
    context_tokens = models.catalogue[name].context_tokens
    return {embedding_identity(models, name): embed_by(lambda: _files(models, name, directory).path, context_tokens)}


def provenance(
    environment: Environment, sources: Sequence[Source], git_commit: str | None, flow_run_id: str | None
) -> Provenance:
    """What the next generation will be made from and by."""
    embedding = embedding_identity(environment.models, environment.models.embedding)
    knowledge = environment.knowledge
    return made_from(sources, knowledge.chunks, embedding, knowledge.fusion, git_commit, flow_run_id)


def embedding_work(environment: Environment, sources: Sequence[Source], files: ModelFiles) -> EmbeddingWork:
    """The pipeline's settings; which documents it reads is decided by the plan.

    Raises:
        ModelUnavailable: the model came without a tokenizer, so chunks cannot be bounded.
    """
    if files.tokenizer_path is None:
        raise ModelUnavailable(f"{str(files.path)!r} has no tokenizer.json beside it")
    knowledge = environment.knowledge
    return work_with(
        sources,
        knowledge.chunks,
        knowledge.max_document_mib,
        files.path,
        files.tokenizer_path,
        environment.models.catalogue[environment.models.embedding].context_tokens,
        knowledge.embedding_workers,
        on_cluster=False,
    )


def _files(models: Models, name: str, directory: Path) -> ModelFiles:
    packaged = models.catalogue[name].packaged
    if packaged is None:
        raise ModelUnavailable(f"the embedding model {name!r} has no packaged weights")
    return ensure_model(name, packaged, directory)

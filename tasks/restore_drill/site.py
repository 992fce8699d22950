"""Where the stage `drill` takes place: the stores of an environment, and where their copies lie."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.settings import LanceSettings
from tasks.embedding.model import ensure_embedding_model
from tasks.environment import REPOSITORY, Environment
from tasks.environment.knowledge import OpenSearchStore
from tasks.gateway.address import gateway_in_cluster
from tasks.gateway.embedding import gateway_embedding
from tasks.golden.dataset import read_golden_set
from tasks.laptop.data_directory import copies_directory, models_directory
from tasks.refresh.examining import embed_by
from tasks.refresh.inputs import fused_with
from tasks.resource_names import name_prefix
from tasks.restore_drill.comparing import Questions
from tasks.restore_drill.knowledge import Copies
from tasks.restore_drill.lance_copies import LanceCopies
from tasks.restore_drill.opensearch_copies import OpenSearchCopies, Repository
from tasks.search_access import SearchDomain, administrator_client
from tasks.store_settings import knowledge_store, store_settings
from tasks.wrong_input import WrongInput


class NoSnapshotLocation(WrongInput):
    """The variable file names no place for copies of the store."""


class UnknownEmbeddingModel(WrongInput):
    """What serves was made by an embedding model that the variable file does not name."""


@dataclass(frozen=True)
class DrilledStore:
    """A knowledge store, its copies, and what is asked of both."""

    store: KnowledgeStore
    copies: Copies
    questions: Questions


@contextmanager
def drilled_store(settings: Environment, outputs: Mapping[str, Any] | None = None) -> Generator[DrilledStore]:
    """The environment's, for the block; `outputs` are Terraform's, of an environment on AWS.

    Raises:
        NoSnapshotLocation: the variable file names no place for copies.
        UnknownEmbeddingModel: what serves was made by an embedding model that the variable file does not name.
        InvalidGoldenSet: the labelled questions cannot be read.
    """
    golden = read_golden_set(REPOSITORY / settings.evaluation.dataset)
    fusion = fused_with(settings.knowledge.fusion)
    with (
        _copies(settings, outputs) as copies,
        knowledge_store(settings, outputs) as store,
        _embedding(settings, outputs, _maker(settings, store)) as embed,
    ):
        yield DrilledStore(store, copies, Questions(golden, embed, fusion))


@contextmanager
def _copies(settings: Environment, outputs: Mapping[str, Any] | None) -> Generator[Copies]:
    store = store_settings(settings, outputs)
    if isinstance(store, LanceSettings):
        yield LanceCopies(store.directory, copies_directory(settings))
        return
    repository = _repository(settings, outputs)
    client = (
        open_client(store) if outputs is None else administrator_client(settings, SearchDomain.of(settings, outputs))
    )
    try:
        yield OpenSearchCopies(client, store, repository, timedelta(minutes=settings.knowledge.recovery.time_minutes))
    finally:
        client.close()


def _repository(settings: Environment, outputs: Mapping[str, Any] | None) -> Repository:
    name = name_prefix(settings.name)
    if outputs is None:
        store = settings.knowledge.store
        if not isinstance(store, OpenSearchStore) or store.snapshot_directory is None:
            raise NoSnapshotLocation(
                "knowledge.store.snapshot_directory is not set: name a directory of the server's path.repo there"
            )
        return Repository(name, "fs", {"location": store.snapshot_directory})
    buckets, role = outputs["data"]["buckets"], outputs["search"]["snapshot_role_arn"]
    if "snapshots" not in buckets or role is None:
        raise NoSnapshotLocation(
            f"{settings.name.value!r} has no bucket for snapshots: add data.backup, and run "
            f"provision/{settings.name.value}"
        )
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-snapshot-registerdirectory.html
    place = {"bucket": buckets["snapshots"]["name"], "region": str(settings.environment.region), "role_arn": role}
    return Repository(name, "s3", place)


def _maker(settings: Environment, store: KnowledgeStore) -> str:
    """The model that made the vectors of what serves, which during a change of the embedding model is the former one.

    Raises:
        UnknownEmbeddingModel: it is none of the environment's.
    """
    serving = store.serving()
    if serving is None:
        return settings.models.embedding
    if serving.embedding.model not in settings.models.embeddings:
        raise UnknownEmbeddingModel(
            f"generation {serving.generation!r} is of the embedding model {serving.embedding.model!r}, which neither "
            "models.embedding nor models.former_embedding names: name it there, or refresh the knowledge base first"
        )
    return serving.embedding.model


@contextmanager
def _embedding(
    settings: Environment, outputs: Mapping[str, Any] | None, model: str
) -> Generator[Callable[[str], Sequence[float]]]:
    if outputs is None:
        files = ensure_embedding_model(settings.models, model, models_directory(settings))
        embed_all = embed_by(lambda: files.path, settings.models.catalogue[model].context_tokens)
        yield lambda text: embed_all([text])[0]
        return
    gateway = gateway_in_cluster(settings)
    with gateway_embedding(gateway.url, gateway.key.get_secret_value(), settings.models, model) as embed:
        yield embed

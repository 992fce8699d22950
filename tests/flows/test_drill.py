"""The flow `drill` on a laptop: the embedded store, restored beside with the real embedding model."""

import asyncio
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from agents.knowledge.store import EmbeddedChunk
from agents.state.settings import SqliteSettings
from flows.drill import drill
from tasks.embedding.identity import embedding_identity
from tasks.embedding.llama_embedder import LlamaEmbedder
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.restore_drill.report import RestoreFailed
from tasks.restore_drill.site import NoSnapshotLocation, UnknownEmbeddingModel
from tests.artifacts import newest_artifact
from tests.contracts.generations import GUIDE, manifest
from tests.flows.own_knowledge_base import OwnKnowledgeBase
from tests.tasks.restore_drill.filled_state import fill

pytestmark = pytest.mark.prefect_server


@pytest.fixture
def base(tmp_path: Path, model_files: Path, monkeypatch: pytest.MonkeyPatch) -> OwnKnowledgeBase:
    base = OwnKnowledgeBase(tmp_path, model_files)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(base.variable_file.parent))
    return base


def serve_guide(base: OwnKnowledgeBase, made_by: str | None = None) -> None:
    """Have a generation of a few passages serve, embedded by the laptop's own model, or so it says, `made_by`."""
    vectors = LlamaEmbedder(base.model_file, 512, threads=1).embed([each.chunk.searchable_text for each in GUIDE])
    chunks = [EmbeddedChunk(each.chunk, vector) for each, vector in zip(GUIDE, vectors, strict=True)]
    models = read_variable_file(base.variable_file).models
    identity = embedding_identity(models, models.embedding)
    identity = identity.model_copy(update={"model": made_by or identity.model})
    generation = manifest("one", chunks).model_copy(update={"embedding": identity})
    with base.store() as store:
        store.create(generation)
        store.add("one", chunks)
        store.seal(generation)
        store.promote("one")


def test_the_report_says_what_was_restored_and_a_damaged_copy_fails_the_run(
    base: OwnKnowledgeBase, prefect_client: SyncPrefectClient
) -> None:
    serve_guide(base)
    asyncio.run(fill(SqliteSettings(base.data / "agents" / "state.db")))

    assert "generation one was restored" in drill(EnvironmentName.LOCAL)

    report = newest_artifact(prefect_client, "local-drill-restored")
    assert all(text in report for text in ('"RPO": "48 h"', '"RTO": "30 min"', "chunks: 4", "upgrade.md#"))
    assert all(text in report for text in ('"store": "state"', "a copy of state.db", "rows of turns: 3"))

    kept = next((base.data / "knowledge-copies" / "one" / "manifests").iterdir())
    kept.write_text(kept.read_text().replace("upgrade.md", "upgraded.md"))
    with pytest.raises(RestoreFailed, match=r"manifest: expected .*, found .*run the drill again"):
        drill(EnvironmentName.LOCAL)
    assert base.texts().keys() == {"upgrade.md", "cost.html", "network.md"}


def test_what_a_model_made_that_nobody_names_is_not_asked(
    base: OwnKnowledgeBase, prefect_client: SyncPrefectClient
) -> None:
    serve_guide(base, made_by="forgotten")
    with pytest.raises(
        UnknownEmbeddingModel, match=r"of the embedding model 'forgotten', which neither models\.embedding"
    ):
        drill(EnvironmentName.LOCAL)


def test_a_store_without_a_place_for_copies_is_refused(
    base: OwnKnowledgeBase, prefect_client: SyncPrefectClient
) -> None:
    base.set("store", '{ engine = "opensearch", endpoint = "http://127.0.0.1:9", index_prefix = "test" }')
    with pytest.raises(NoSnapshotLocation, match=r"snapshot_directory is not set"):
        drill(EnvironmentName.LOCAL)

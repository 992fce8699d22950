"""Whether labelled questions and the serving generation belong together."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.knowledge.generation import DocumentRecord, EmbeddingIdentity, Manifest
from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import read_variable_file
from tasks.evaluation.inputs import (
    GoldenInputs,
    NothingServed,
    QuestionsLost,
    golden_inputs,
    is_about,
    require_never_measured,
)
from tasks.evaluation.report import Inputs, Report
from tasks.golden.dataset import read_golden_set
from tasks.store_settings import knowledge_store
from tests.local_environment import write_local_environment

QUESTIONS = read_golden_set(REPOSITORY / "golden" / "questions.jsonl")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return read_variable_file(write_local_environment(tmp_path / "environments", tmp_path / "data") / "local.tfvars")


def manifest(*paths: str, content_hash: str | None = "c") -> Manifest:
    return Manifest(
        generation="20260101t000000-a",
        state="building",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        inputs_digest="i",
        sources={"documentation": "file:///docs"},
        chunker="1",
        embedding=EmbeddingIdentity(model="m", fingerprint="f", dimension=2),
        documents={
            f"file:///docs/{path}": DocumentRecord(
                source="documentation", path=path, content_hash=content_hash, chunks=0
            )
            for path in paths
        },
        chunk_count=0,
        git_commit=None,
        flow_run_id=None,
    )


def test_questions_are_about_a_generation_that_holds_their_documents() -> None:
    assert is_about(QUESTIONS, manifest("mine.md", "operations.md"))
    assert not is_about(QUESTIONS, manifest("mine.md"))
    assert not is_about(QUESTIONS, manifest("operations.md", content_hash=None))


def test_questions_that_were_measured_and_are_about_nothing_any_more_are_an_error() -> None:
    inputs = Inputs(golden="g", knowledge="k", service="s", models={}, settings={})
    golden = GoldenInputs(QUESTIONS, "g2", "documentation file:///docs", False, {}, inputs)
    report = Report(
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        environment="local",
        generation="g1",
        corpus="documentation file:///docs",
        inputs=inputs,
        scores={},
        rows=(),
        seconds=1,
    )
    others = [report.model_copy(update={"corpus": corpus}) for corpus in (None, "mine file:///mine")]
    require_never_measured(golden, others)
    with pytest.raises(QuestionsLost, match=r"'g1' was measured on 2026-01-01 00:00 UTC.*Amend the paths"):
        require_never_measured(golden, [*others, report])


def test_without_a_serving_generation_there_is_nothing_to_evaluate(environment: Environment) -> None:
    with pytest.raises(NothingServed, match="run the knowledge flow first"):
        golden_inputs.fn(environment)


def test_the_inputs_name_all_that_can_change_the_result(environment: Environment) -> None:
    served = manifest("first.md", "operations.md")
    copy = served.documents["file:///docs/operations.md"].model_copy(update={"same_as": "file:///docs/first.md"})
    served = served.model_copy(update={"documents": {**served.documents, "file:///docs/operations.md": copy}})
    with knowledge_store(environment) as store:
        store.create(served)
        store.seal(served.model_copy(update={"state": "ready"}))
        store.promote(served.generation)
    golden = golden_inputs.fn(environment)
    assert (golden.generation, golden.corpus, golden.labelled) == (
        served.generation,
        "documentation file:///docs",
        True,
    )
    assert golden.questions == QUESTIONS
    assert golden.stored == {"operations.md": "first.md"}
    assert golden.inputs.knowledge == "i"
    assert golden.inputs.models.keys() == environment.models.catalogue.keys()
    assert golden.inputs.settings["agents"] == environment.agents.model_dump(mode="json")

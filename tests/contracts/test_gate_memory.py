"""Neither renamed evidence nor many small losses get past the gate, over both stores; documents are in memory."""

import pytest

from agents.knowledge.store import KnowledgeStore
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.gate import GateFailed
from tasks.refresh.rollback import roll_back
from tests.contracts.small_refreshes import SmallKnowledge, question

TEXTS = {f"guides/d{n}.md": f"The network has {n} zones in all." for n in range(4)}
QUESTIONS = tuple(question(f"d{n}.md", f"What of {n} zones?", f"The network has {n} zones") for n in range(4))


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base of four documents with a question each."""
    small = SmallKnowledge(store, about("guides"))
    small.documents = dict(TEXTS)
    small.refresh()
    return small


def about(folder: str) -> tuple[GoldenQuestion, ...]:
    return tuple(
        each.model_copy(
            update={
                "evidence": tuple(
                    one.model_copy(update={"document": f"{folder}/{one.document}"}) for one in each.evidence
                )
            }
        )
        for each in QUESTIONS
    )


def test_a_renamed_folder_is_asked_about_under_its_new_name(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents = {name.replace("guides", "docs"): text for name, text in TEXTS.items()}
    verdict = small.refresh().verdict
    assert verdict is not None
    assert verdict.questions == len(QUESTIONS)
    assert {check.serving for check in verdict.checks if check.name == "recall@5"} == {1.0}
    assert small.serving != first

    # Renamed and spoilt in one refresh, it does not get past.
    second = small.serving
    small.documents = {name.replace("docs", "pages"): f"Nothing {name}." for name in small.documents}
    small.questions = about("docs")
    with pytest.raises(GateFailed, match=r"questions that can be asked is 0, .*amend .*'docs/d0\.md'") as refused:
        small.refresh()
    assert small.serving == second
    assert "labelled questions that can be asked" in {row["check"] for row in refused.value.rows}


def test_deleted_evidence_is_a_persons_word(small: SmallKnowledge) -> None:
    del small.documents["guides/d3.md"]
    with pytest.raises(GateFailed, match="questions that can be asked is 3") as refused:
        small.refresh()
    candidate = small.store.manifests()[0].generation
    assert f"rollback_to={candidate}" in str(refused.value)
    roll_back(small.store, candidate)
    small.documents["guides/new.md"] = "The storage is durable."
    assert small.refresh().new, "it is no loss any more"
    small.tolerance = 0.5
    del small.documents["guides/d2.md"]
    assert small.refresh().new, "one of three is within the tolerance"


def test_many_small_losses_do_not_add_up(small: SmallKnowledge) -> None:
    small.tolerance = 0.3
    small.documents["guides/d0.md"] = "The network, nothing more."
    assert small.refresh().new, "a quarter is within the tolerance"
    second = small.serving
    small.documents["guides/d1.md"] = "The network, nothing else."
    with pytest.raises(GateFailed, match=r"recall@5 is 0\.5, demanded: at most 0\.3 below 1, which") as refused:
        small.refresh()
    assert small.serving == second
    candidate = small.store.manifests()[0].generation
    assert f"rollback_to={candidate}" in str(refused.value)
    # What a person takes in spite of that is what the next ones are measured by.
    roll_back(small.store, candidate)
    small.documents["guides/d2.md"] = "The network, nothing new."
    assert small.refresh().new

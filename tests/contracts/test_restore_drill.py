"""The restore drill over both stores: what it restores beside is what serves, and what serves never moves."""

import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.holds import holds
from agents.knowledge.store import EmbeddedChunk, KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.refresh.rollback import roll_back
from tasks.restore_drill.comparing import Questions
from tasks.restore_drill.knowledge import Copies, NothingServes, drill_knowledge, drop_old_copies
from tasks.restore_drill.opensearch_copies import OpenSearchCopies, Repository
from tasks.restore_drill.report import Objective, Restoration, RestoreFailed, require_restored
from tests.contracts.generations import GUIDE, build, manifest, passage, vector
from tests.contracts.small_refreshes import SmallKnowledge

LONGEST = timedelta(minutes=2)
PROMISED = Objective(point=timedelta(hours=1), time=LONGEST)
LABELLED = GoldenQuestion(
    id="upgrade",
    kind="answerable",
    question="How do I upgrade the cluster?",
    reference="One minor version at a time.",
    evidence=(Evidence(document="upgrade.md", quote="one minor version at a time"),),
)
QUESTIONS = Questions((LABELLED,), lambda _: vector("upgrade"), FusionSettings("min_max", 0.5, 20))


def drilled(store: KnowledgeStore, copies: Copies, promised: Objective = PROMISED) -> Restoration:
    return drill_knowledge.fn(store, copies, QUESTIONS, promised)


def left_beside(settings: LanceSettings | OpenSearchSettings, tmp_path: Path) -> list[str]:
    if isinstance(settings, LanceSettings):
        return [path.name for path in (tmp_path / "copies").glob(".*")]
    answer = httpx.get(f"{settings.endpoint}/_cat/indices/{settings.index_prefix}-drill*?h=index", timeout=60)
    return answer.raise_for_status().text.split()


def test_the_serving_generation_is_restored_beside_and_answers_the_same(
    store: KnowledgeStore, copies: Copies, settings: LanceSettings | OpenSearchSettings, tmp_path: Path
) -> None:
    serving = build(store, "one")
    store.promote("one")

    first = drilled(store, copies)
    taken = copies.taken()
    again = drilled(store, copies)

    assert "generation one was restored" in require_restored([first, again])
    assert {line.what: line.found for line in first.compared} == {
        "manifest": serving.source_fingerprint,
        "chunks": "4",
        "documents that differ": "0",
        LABELLED.question: first.compared[3].wanted,
        "serving": "one",
    }
    assert first.compared[3].found.startswith("upgrade.md#0")
    assert first.row["verdict"] == "restored"
    assert copies.taken() == taken, "a generation never changes, so it is copied once"
    assert store.serving() == serving
    assert [manifest.generation for manifest in store.manifests()] == ["one"]
    assert left_beside(settings, tmp_path) == []


def test_a_copy_that_is_not_what_serves_fails_the_drill(store: KnowledgeStore, copies: Copies) -> None:
    build(store, "one", GUIDE[:3])
    copies.taken()
    copies.take("one")
    store.drop("one")
    build(store, "one", (*GUIDE[1:], passage("more.md", 0, "Upgrade more.", ["upgrade"])))
    store.promote("one")

    differing = r"chunks: expected '4', found '3'.*documents that differ: expected '0', found '3'.*Delete the copy"
    with pytest.raises(RestoreFailed, match=differing):
        require_restored([drilled(store, copies)])

    copies.drop("one")
    assert require_restored([drilled(store, copies)]), "who deletes the copy as told is not told that it is gone"


def test_another_order_of_the_same_passages_is_no_loss(store: KnowledgeStore, copies: Copies) -> None:
    # As a replica finds them that built a graph of its own.
    best = passage("upgrade.md", 0, "One minor version at a time.", ["upgrade"])
    near = (passage("cost.md", 0, "It costs.", ["upgrade", "cost"]), passage("storage.md", 0, "Disks.", ["storage"]))
    turned = (passage("cost.md", 0, "It costs.", ["cost"]), passage("storage.md", 0, "Disks.", ["upgrade", "storage"]))
    restored_otherwise(store, copies, served=(best, *near), copied=(best, *turned))

    assert require_restored([drilled(store, copies)])


def test_a_passage_that_is_not_found_again_fails_the_drill(store: KnowledgeStore, copies: Copies) -> None:
    def passages(about: str, others: str) -> tuple[EmbeddedChunk, ...]:
        filling = (passage(f"other-{number}.md", 0, "Nothing.", [others]) for number in range(30))
        return (passage("upgrade.md", 0, "One minor version at a time.", [about]), *filling)

    restored_otherwise(store, copies, served=passages("upgrade", "cost"), copied=passages("cost", "upgrade"))

    with pytest.raises(RestoreFailed, match=r"expected 'upgrade\.md#0', found 'other-\d+\.md#0'"):
        require_restored([drilled(store, copies)])


def restored_otherwise(
    store: KnowledgeStore, copies: Copies, served: Sequence[EmbeddedChunk], copied: Sequence[EmbeddedChunk]
) -> None:
    """Have a generation serve whose copy holds the same texts with other vectors."""
    build(store, "one", copied)
    copies.taken()
    copies.take("one")
    store.drop("one")
    build(store, "one", served)
    store.promote("one")


def test_copies_that_are_gone_fail_the_drill_once(store: KnowledgeStore, copies: Copies) -> None:
    build(store, "one")
    store.promote("one")
    assert require_restored([drilled(store, copies)])
    copies.drop("one")

    with pytest.raises(RestoreFailed, match=r"the last copy: expected 'one', found 'gone'.*Find out who emptied"):
        require_restored([drilled(store, copies)])
    assert set(copies.taken()) == {"one"}
    assert require_restored([drilled(store, copies)])


def test_work_that_no_copy_has_is_held_against_the_objective(store: KnowledgeStore, copies: Copies) -> None:
    build(store, "one")
    store.promote("one")
    drilled(store, copies)
    fresh = manifest("two", GUIDE).model_copy(update={"created_at": datetime.now(UTC)})
    store.create(fresh)
    store.add("two", GUIDE)
    store.seal(fresh)
    store.promote("two")

    late = drilled(store, copies, Objective(point=timedelta(), time=timedelta()))

    assert timedelta() < late.at_risk < LONGEST
    assert [fault.split(" ")[0] for fault in late.faults] == ["it", "the"]
    assert "run the drill more often" in late.remedy
    assert drilled(store, copies).at_risk == timedelta()


def test_as_many_copies_are_kept_as_are_asked_for(store: KnowledgeStore, copies: Copies) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    for age, name in enumerate(("one", "two", "three")):
        build(store, name, age=age)
        store.promote(name)
        drilled(store, copies)
        drop_old_copies.fn(copies, 2)

    taken = copies.taken()
    assert set(taken) == {"two", "three"}
    assert min(taken.values()) >= began


def test_a_drill_that_is_interrupted_leaves_nothing_beside(
    store: KnowledgeStore, copies: Copies, settings: LanceSettings | OpenSearchSettings, tmp_path: Path
) -> None:
    build(store, "one")
    store.promote("one")
    copies.taken()
    copies.take("one")

    with pytest.raises(KeyboardInterrupt), copies.restored("one"):
        raise KeyboardInterrupt

    assert left_beside(settings, tmp_path) == []
    assert require_restored([drilled(store, copies)])


def test_nothing_can_be_restored_before_the_first_refresh(store: KnowledgeStore, copies: Copies) -> None:
    with pytest.raises(NothingServes, match="run the flow 'knowledge' first"):
        drilled(store, copies)


def test_a_copy_has_the_holds_of_the_last_rollback(store: KnowledgeStore, copies: Copies) -> None:
    for age, name in enumerate(("one", "two")):
        build(store, name, age=age)
        store.promote(name)
        drilled(store, copies)
    roll_back(store, "one")
    before = copies.taken()
    assert require_restored([drilled(store, copies)])
    taken = copies.taken()
    assert taken["one"] > before["one"]
    assert require_restored([drilled(store, copies)])
    assert copies.taken() == taken, "nothing was held back since"


@pytest.mark.opensearch
def test_a_lost_domain_comes_back_as_the_runbook_says(opensearch_address: str, request: pytest.FixtureRequest) -> None:
    prefix, repository = f"lost-{uuid.uuid4().hex[:12]}", f"lost-{uuid.uuid4().hex[:12]}"
    settings = OpenSearchSettings(opensearch_address, prefix, shards=1, replicas=0)
    request.addfinalizer(lambda: httpx.delete(f"{opensearch_address}/{prefix}-*", timeout=60))
    with (
        httpx.Client(base_url=opensearch_address, timeout=120) as search,
        closing(open_client(settings)) as client,
        closing(open_store(settings)) as store,
    ):
        copies = OpenSearchCopies(client, settings, Repository(repository, "fs", {"location": repository}), LONGEST)
        small = SmallKnowledge(store)
        small.documents = {"cost.md": "The cost counts tags.", "network.md": "The network has three zones."}
        good = small.refresh().generation
        small.documents["cost.md"] = "The cost counts tags. Wrongly."
        bad = small.refresh().generation
        roll_back(store, good)
        drilled(store, copies)
        search.delete(f"/{prefix}-*").raise_for_status()
        assert store.serving() is None

        # What docs/operations.md says, the repository being registered.
        wanted = f"{prefix}-{good},{prefix}-manifests,{prefix}-notes"
        restored = search.post(
            f"/_snapshot/{repository}/{prefix}-{good}/_restore?wait_for_completion=true",
            json={"indices": wanted, "include_aliases": False, "include_global_state": False},
        ).raise_for_status()
        assert restored.json()["snapshot"]["shards"]["failed"] == 0
        moves = {"actions": [{"add": {"index": f"{prefix}-{good}", "alias": prefix}}]}
        search.post("/_aliases", json=moves).raise_for_status()

        assert small.serving == good
        assert [manifest.generation for manifest in store.manifests()] == [good], "the other one has no index"
        assert [hold.generation for hold in holds(store)] == [bad]
        for _ in range(2):
            report = small.refresh()
            assert (report.new, report.generation) == (False, good)
            assert report.held is not None
        small.documents["cost.md"] = "The cost counts tags. Rightly."
        assert small.refresh().new
        client.snapshot.delete_repository(repository=repository)

"""What somebody rolled back from is not promoted again by the next refresh of the same documents."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan

NOTE = "rolled-back"


class Hold(BaseModel):
    """One generation that was rolled back from, and by what it differs from the one that was gone back to.

    `versions` are the content hashes of the documents that differ, as the generation holds them; `absent` are those
    that it lacks. `chunker`, `embedding` and `fusion` are there where they differ.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: str
    back_to: str
    since: datetime
    inputs_digest: str
    versions: dict[str, str | None]
    absent: tuple[str, ...]
    chunker: str | None
    embedding: EmbeddingIdentity | None
    fusion: FusionSettings | None

    def applies(self, inputs_digest: str, versions: Mapping[str, str | None], made_by: Provenance) -> bool:
        """Whether a refresh of these inputs would bring back all that the generation was rolled back for.

        As long as none of the differing documents has changed again, nothing speaks for another outcome; a change of
        any other document does not either.
        """
        if inputs_digest == self.inputs_digest:
            return True
        differences = [
            *(versions.get(uri, "absent") == version for uri, version in self.versions.items()),
            *(uri not in versions for uri in self.absent),
            *(made_by.chunker == chunker for chunker in (self.chunker,) if chunker),
            *(made_by.embedding == embedding for embedding in (self.embedding,) if embedding),
            *(made_by.fusion == fusion for fusion in (self.fusion,) if fusion),
        ]
        return bool(differences) and all(differences)


_HOLDS = TypeAdapter(tuple[Hold, ...])


def hold_of(left: Manifest, target: Manifest, now: datetime) -> Hold:
    """The hold on `left` when readers go back from it to `target`."""
    bad, good = left.versions, target.versions
    return Hold(
        generation=left.generation,
        back_to=target.generation,
        since=now,
        inputs_digest=left.inputs_digest,
        versions={uri: version for uri, version in bad.items() if uri not in good or good[uri] != version},
        absent=tuple(sorted(good.keys() - bad.keys())),
        chunker=left.chunker if left.chunker != target.chunker else None,
        embedding=left.embedding if left.embedding != target.embedding else None,
        fusion=left.fusion if left.fusion != target.fusion else None,
    )


def holds(store: KnowledgeStore) -> tuple[Hold, ...]:
    """All holds, oldest first."""
    text = store.note(NOTE)
    return () if text is None else _HOLDS.validate_json(text)


def write_holds(store: KnowledgeStore, kept: tuple[Hold, ...]) -> None:
    """Replace the holds."""
    store.write_note(NOTE, _HOLDS.dump_json(kept).decode())


def left_behind(store: KnowledgeStore, serving: Manifest) -> frozenset[str]:
    """The generations that were rolled back from before the serving one was begun, which is what was mended.

    The others are still held back: were they dropped, their holds would go with them, and they would be built again.
    """
    return frozenset(hold.generation for hold in holds(store) if hold.since < serving.created_at)


def held_back(store: KnowledgeStore, plan: RefreshPlan, made_by: Provenance) -> Hold | None:
    """The hold that a refresh would break, if there is one; see `Hold.applies`."""
    versions = plan.versions
    serving = store.serving()
    for hold in holds(store):
        # A rollback that was killed before it moved the readers holds nothing back.
        served = serving is not None and serving.generation == hold.generation
        if not served and hold.applies(plan.inputs_digest, versions, made_by):
            return hold
    return None

"""Whether a generation that was restored beside is the one that serves: the same chunks, and the same answers found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import Manifest
from agents.knowledge.search import hybrid_search
from agents.knowledge.store import KnowledgeStore
from tasks.drift.compared import Compared
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.gate_scores import answerable_from

QUESTIONS = 5
PASSAGES = 20
"""Among so many of the restored copy the best passage of what serves has to be."""


@dataclass(frozen=True)
class Questions:
    """What is asked of both stores: labelled questions, who embeds them, and how to fuse where a manifest is silent."""

    labelled: tuple[GoldenQuestion, ...]
    embed: Callable[[str], Sequence[float]]
    fusion: FusionSettings

    def asked_of(self, manifest: Manifest) -> tuple[GoldenQuestion, ...]:
        """A few of them, evenly spread; those that the generation can answer, if there are any."""
        fitting = answerable_from(manifest, self.labelled) or self.labelled
        return fitting[:: max(1, len(fitting) // QUESTIONS)][:QUESTIONS]


def compare_counts(store: KnowledgeStore, beside: KnowledgeStore, serving: Manifest) -> tuple[Compared, ...]:
    """The manifest of the serving generation, and how many chunks of each document both stores hold.

    Raises:
        StoreUnavailable: one of them does not answer.
    """
    found = {manifest.generation: manifest for manifest in beside.manifests()}.get(serving.generation)
    wanted, counted = (each.chunk_counts(serving.generation) for each in (store, beside))
    differing = sum(wanted.get(key) != counted.get(key) for key in {*wanted, *counted})
    return (
        Compared("manifest", serving.source_fingerprint, found.source_fingerprint if found else "missing"),
        Compared("chunks", str(serving.chunk_count), str(sum(counted.values()))),
        Compared("documents that differ", "0", str(differing)),
    )


def compare_answers(
    store: KnowledgeStore, beside: KnowledgeStore, serving: Manifest, questions: Questions
) -> tuple[Compared, ...]:
    """The best passage of what serves, and whether the restored copy finds it too.

    Not in the same place of the same list: each replica builds a graph of its own, and has its own statistics of words
    as long as deleted documents are not merged away.

    Raises:
        StoreUnavailable: one of them does not answer.
    """
    fusion = serving.fusion or questions.fusion

    def found_in(asked: KnowledgeStore, text: str, vector: Sequence[float]) -> list[str]:
        found = hybrid_search(asked, serving, text, vector, serving.embedding, fusion, PASSAGES)
        return [f"{passage.chunk.path}#{passage.chunk.ordinal}" for passage in found] or ["nothing"]

    compared: list[Compared] = []
    for labelled in questions.asked_of(serving):
        text = labelled.question
        vector = questions.embed(text)
        best, restored = found_in(store, text, vector)[0], found_in(beside, text, vector)
        compared.append(Compared(text, best, best if best in restored else restored[0]))
    return tuple(compared)

"""What the serving generation scores on the questions that a candidate is asked; no candidate passes unseen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.store import KnowledgeStore
from tasks.golden.dataset import GoldenQuestion
from tasks.refresh.gate_scores import Embed, GoldenScores, answerable_from, named_as_in, score
from tasks.refresh.verdicts import Check, verdicts

NOTHING = GoldenScores({}, {})


@dataclass(frozen=True)
class AskedAgain:
    """The questions that the candidate was asked, with their vectors by its model; see `GateRules` for the rest.

    `digest` is of the questions as they are labelled.
    """

    questions: Sequence[GoldenQuestion]
    vectors: Sequence[Sequence[float]]
    digest: str | None
    fusion: FusionSettings
    former: Mapping[EmbeddingIdentity, Embed]


def scores_before(
    store: KnowledgeStore, candidate: Manifest, serving: Manifest | None, asked: AskedAgain
) -> tuple[GoldenScores, str | None, list[Check]]:
    """The serving generation's scores on the same questions; where there can be none, why.

    Where there should be some and they cannot be had, the check that says so has failed.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    if serving is None or serving.generation == candidate.generation:
        return NOTHING, "no other generation serves that it could be compared with", []
    questions = named_as_in(serving, candidate, asked.questions)
    if serving.embedding == candidate.embedding:
        return score(store, serving, questions, asked.vectors, asked.fusion), None, []
    if (embed := asked.former.get(serving.embedding)) is not None:
        own = embed([question.question for question in questions])
        return score(store, serving, questions, own, asked.fusion), None, []
    # Its model is not at hand here, so that no question can be embedded for it.
    known = verdicts(store).get(serving.generation)
    # What a failed check kept from being scored has no scores, whatever it was to be asked.
    if known is not None and known.scores and known.questions_digest == asked.digest:
        return GoldenScores(known.scores, {}), None, []
    if not answerable_from(serving, questions):
        return NOTHING, f"{serving.generation!r}, which serves, holds the evidence of none of these questions", []
    return NOTHING, None, [_incomparable(serving, candidate, len(questions))]


def _incomparable(serving: Manifest, candidate: Manifest, questions: int) -> Check:
    model = serving.embedding.model
    if model == candidate.embedding.model:
        way = f"give the new weights a name of their own in models.catalogue and name {model!r}"
    else:
        way = f"have {model!r} in models.catalogue and name it"
    return Check(
        name="labelled questions compared with what serves",
        candidate=0,
        serving=None,
        demanded=(
            f"all {questions}, but {serving.generation!r} was embedded by {model!r} "
            f"({serving.embedding.fingerprint[:12]}), which models.former_embedding does not name, and was not scored "
            f"on these questions when it was new: {way} as models.former_embedding, and run the refresh again"
        ),
        passed=False,
    )

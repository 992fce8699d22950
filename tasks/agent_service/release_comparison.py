"""Golden questions, asked of a new version of the agent service and of the one that serves, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from tasks.agent_service.http_api import AssistantUnavailable, CitedAnswer, accepted_key, ask, require_ready, search_all
from tasks.environment.agents import Gate
from tasks.evaluation.retrieval_metrics import holds_quote
from tasks.golden.dataset import GoldenQuestion
from tasks.kubernetes.probe_result import Outcome
from tasks.runs.log import run_log

READY_SECONDS = 120.0
PASSAGES = 5


@dataclass(frozen=True)
class Comparison:
    """One question: whether the canary got it right, and the version that serves, where it was asked."""

    question: str
    kind: str
    right: bool
    was_right: bool | None
    said: str

    @property
    def worse(self) -> bool:
        """Whether the new version lost what the old one has."""
        return bool(self.was_right) and not self.right


@dataclass(frozen=True)
class _Service:
    """Where a version answers, and the key that it lets in, where it wants one."""

    url: str
    key: SecretStr | None


@dataclass(frozen=True)
class Verdict:
    """What came of the gate: `seen` in one line, and one row per question that was asked."""

    outcome: Outcome
    seen: str
    rows: tuple[Comparison, ...] = ()


def ask_both(
    canary: str,
    serving: str | None,
    questions: Sequence[GoldenQuestion],
    gate: Gate,
    seconds: float,
    keys: Sequence[SecretStr] = (),
) -> Verdict:
    """Ask at two base URLs, each question with at most `seconds` for its answer; the canary must be ready.

    `keys` are the gate's present key and the one before it: a renewed one reaches each pod in its own time.

    Raises:
        AssistantUnavailable: the canary does not answer.
    """
    require_ready(canary, READY_SECONDS)
    new = _Service(canary, accepted_key(canary, keys, seconds))
    old = None if serving is None else _serving(serving, keys, seconds)
    holders = _holders(new, questions, seconds)
    rows: list[Comparison] = []
    for question in questions:
        answer = ask(new.url, question.question, seconds, new.key).answer
        before = _answer_of_serving(old, question, seconds)
        rows.append(
            Comparison(
                question=question.question,
                kind=question.kind,
                right=is_right(question, answer, holders),
                was_right=None if before is None else is_right(question, before, holders),
                said=f"{answer.kind}: {answer.answer[:200]}",
            )
        )
    return judge(rows, gate, about=bool(holders))


def is_right(question: GoldenQuestion, answer: CitedAnswer, holders: Mapping[str, frozenset[str]]) -> bool:
    """Whether the answer rests on a document that holds the evidence, or rightly says that it does not know.

    `holders` are those documents by question id. Where there are none, the corpus is not what the questions are about,
    and every answer is as good as another.
    """
    if not holders:
        return True
    if not question.answerable:
        return answer.kind == "abstained"
    return answer.kind != "abstained" and any(citation.path in holders[question.id] for citation in answer.citations)


def judge(rows: Sequence[Comparison], gate: Gate, *, about: bool) -> Verdict:
    """Whether enough is right, and not too much got worse."""
    if not about:
        return Verdict(
            Outcome.PROVED, f"answered {len(rows)} questions; none of them is about this corpus", tuple(rows)
        )
    right, worse = sum(row.right for row in rows), sum(row.worse for row in rows)
    compared = sum(row.was_right is not None for row in rows)
    seen = f"{right} of {len(rows)} golden questions right"
    seen += f", {worse} of {compared} worse than with the version that serves" if compared else ", compared with none"
    enough = right >= gate.least_right * len(rows) and worse <= gate.most_worse * len(rows)
    limits = f" (least right {gate.least_right:g}, most worse {gate.most_worse:g})"
    return Verdict(Outcome.PROVED if enough else Outcome.FAILED, seen + limits, tuple(rows))


def _holders(service: _Service, questions: Sequence[GoldenQuestion], seconds: float) -> Mapping[str, frozenset[str]]:
    """By id of each answerable question the documents with its evidence; empty where no search finds any of them.

    The same content is stored once, under the first of its addresses, and a question may name another one. Which are
    the same stands in the manifest, which a worker outside the network does not reach: what was found tells it too.
    """
    answerable = [question for question in questions if question.answerable]
    asked = [question.question for question in answerable]
    found = search_all(service.url, asked, PASSAGES, seconds, service.key)
    named = {question.id: frozenset(each.document for each in question.evidence) for question in answerable}
    holding = {
        question.id: frozenset(
            passage.chunk.path
            for passage in answer.passages
            if any(holds_quote(passage.chunk.text, each.quote) for each in question.evidence)
        )
        for question, answer in zip(answerable, found, strict=True)
    }
    wanted = frozenset[str]().union(*named.values(), *holding.values())
    if not any(passage.chunk.path in wanted for answer in found for passage in answer.passages):
        return {}
    return {name: named[name] | holding[name] for name in named}


def _serving(url: str, keys: Sequence[SecretStr], seconds: float) -> _Service | None:
    try:
        return _Service(url, accepted_key(url, keys, seconds))
    except AssistantUnavailable as error:
        # A version that is out of order must not keep its successor from taking its place.
        run_log().warning("the version that serves is not compared with: %s", error)
        return None


def _answer_of_serving(service: _Service | None, question: GoldenQuestion, seconds: float) -> CitedAnswer | None:
    if service is None:
        return None
    try:
        return ask(service.url, question.question, seconds, service.key).answer
    except AssistantUnavailable:
        # What does not answer has nothing to lose.
        return None

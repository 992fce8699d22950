"""The gate of a release: golden questions, asked of the canary and of the version that serves, side by side."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.assistant_api import AssistantUnavailable, CitedAnswer, ask, require_ready, search_all
from tasks.environment import REPOSITORY, Environment
from tasks.environment.agents import Gate
from tasks.environment_outputs import load_outputs
from tasks.evaluation_scores import spread
from tasks.golden import GoldenQuestion, read_golden_set
from tasks.helm.derivations.agents import PORT
from tasks.helm.target import open_target
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.objects import PODS, list_all
from tasks.kubernetes.port_forward import ForwardFailed, forwarded
from tasks.kubernetes.probe_result import Outcome
from tasks.kubernetes.workloads import simulated_nodes

NAMESPACE, SERVING, CANARY = "agents", "agents", "agents-canary"
NAME_LABEL = "app.kubernetes.io/name"
READY_SECONDS = 120.0
# Beyond what the service lets an answer take, so that it is the service that gives up, and says so.
MARGIN_SECONDS = 30.0
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
class Verdict:
    """What came of the gate: `seen` in one line, and a row a question that was asked."""

    outcome: Outcome
    seen: str
    rows: tuple[Comparison, ...] = ()


@task(task_run_name="ask-golden-questions", cache_policy=NO_CACHE, persist_result=False)
def prove_canary(settings: Environment, compare: bool) -> Verdict:
    """Ask the canary golden questions, and, with `compare`, the version that serves.

    Where the canary's pods are on simulated nodes, nothing can answer: the outcome is not-proved.

    Raises:
        InvalidGoldenSet: the questions cannot be read.
        ClusterFault: the cluster refuses or does not answer.
    """
    gate = settings.agents.gate or Gate()
    questions = spread(read_golden_set(REPOSITORY / settings.evaluation.dataset), gate.questions)
    seconds = settings.agents.answer_seconds + MARGIN_SECONDS
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        if held := _simulated(target.connection):
            seen = f"the canary's pods are on simulated nodes such as {held[0]}, which run nothing"
            return Verdict(Outcome.NOT_PROVED, seen)
        try:
            with _ways(destination.kubeconfig, compare) as (canary, serving):
                return ask_both(canary, serving, questions, gate, seconds)
        except (AssistantUnavailable, ForwardFailed) as error:
            return Verdict(Outcome.FAILED, str(error))


def ask_both(
    canary: str, serving: str | None, questions: Sequence[GoldenQuestion], gate: Gate, seconds: float
) -> Verdict:
    """Ask at two base URLs, each question with at most `seconds` for its answer; the canary must be ready.

    Raises:
        AssistantUnavailable: the canary does not answer.
    """
    require_ready(canary, READY_SECONDS)
    about = _is_about(canary, questions, seconds)
    rows: list[Comparison] = []
    for question in questions:
        answer = ask(canary, question.question, seconds).answer
        before = _answer_of_serving(serving, question, seconds)
        rows.append(
            Comparison(
                question=question.question,
                kind=question.kind,
                right=is_right(question, answer, about=about),
                was_right=None if before is None else is_right(question, before, about=about),
                said=f"{answer.kind}: {answer.answer[:200]}",
            )
        )
    return judge(rows, gate, about=about)


def is_right(question: GoldenQuestion, answer: CitedAnswer, *, about: bool) -> bool:
    """Whether the answer rests on a document that holds the evidence, or rightly says that it does not know.

    Where the corpus is not what the questions are `about`, every answer is as good as another.
    """
    if not about:
        return True
    if not question.answerable:
        return answer.kind == "abstained"
    documents = {evidence.document for evidence in question.evidence}
    return answer.kind != "abstained" and any(citation.path in documents for citation in answer.citations)


def judge(rows: Sequence[Comparison], gate: Gate, *, about: bool) -> Verdict:
    """Whether enough is right, and not too much got worse."""
    if not about:
        return Verdict(
            Outcome.PROVED, f"answered {len(rows)} questions; none of them is about this corpus", tuple(rows)
        )
    right, worse = sum(row.right for row in rows), sum(row.worse for row in rows)
    compared = sum(row.was_right is not None for row in rows)
    seen = f"{right} of {len(rows)} golden questions right"
    seen += f", {worse} of {compared} worse than with the version that serves" if compared else ""
    enough = right >= gate.least_right * len(rows) and worse <= gate.most_worse * len(rows)
    limits = f" (least right {gate.least_right:g}, most worse {gate.most_worse:g})"
    return Verdict(Outcome.PROVED if enough else Outcome.FAILED, seen + limits, tuple(rows))


def _is_about(url: str, questions: Iterable[GoldenQuestion], seconds: float) -> bool:
    answerable = [question for question in questions if question.answerable]
    wanted = {evidence.document for question in answerable for evidence in question.evidence}
    found = search_all(url, [question.question for question in answerable], PASSAGES, seconds)
    return any(passage.chunk.path in wanted for answer in found for passage in answer.passages)


def _answer_of_serving(url: str | None, question: GoldenQuestion, seconds: float) -> CitedAnswer | None:
    if url is None:
        return None
    try:
        return ask(url, question.question, seconds).answer
    except AssistantUnavailable:
        # What does not answer has nothing to lose.
        return None


@contextmanager
def _ways(kubeconfig: Path, compare: bool) -> Generator[tuple[str, str | None]]:
    with ExitStack() as ways:
        canary = ways.enter_context(forwarded(kubeconfig, NAMESPACE, f"service/{CANARY}", PORT))
        try:
            there = (
                ways.enter_context(forwarded(kubeconfig, NAMESPACE, f"service/{SERVING}", PORT)) if compare else None
            )
        except ForwardFailed:
            there = None
        yield canary, there


def _simulated(connection: Connection) -> list[str]:
    simulated = simulated_nodes(connection)
    pods = [pod for pod in list_all(connection, PODS) if pod["metadata"]["namespace"] == NAMESPACE]
    own = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == CANARY]
    return sorted({str(pod["spec"].get("nodeName", "")) for pod in own} & simulated)

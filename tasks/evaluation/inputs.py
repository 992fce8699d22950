"""What an evaluation starts from: the golden questions, the serving generation, and where the service answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.copies import stored_paths
from agents.knowledge.generation import Manifest
from tasks.environment import REPOSITORY, Environment
from tasks.environment.models import Model
from tasks.evaluation.report import Inputs, Report, tree_digest
from tasks.golden.dataset import GoldenQuestion, golden_digest, read_golden_set
from tasks.golden.verdicts import verdicts_digest
from tasks.runs.outages import SECONDS_BETWEEN_TRIES, TRIES_AGAIN, may_be_over_soon
from tasks.store_settings import knowledge_store


class NothingServed(Exception):
    """The knowledge base has no serving generation, so there is nothing to evaluate."""


class GenerationMoved(Exception):
    """Readers were moved to another generation while the questions were asked."""


class QuestionsLost(Exception):
    """The questions that were measured of these sources are about none of their documents any more."""


@dataclass(frozen=True)
class GoldenInputs:
    """The questions, the generation that they are asked of, and all that can change the result.

    `labelled` says whether the questions are about the generation's documents; `corpus` names its sources; `stored` is
    by the path of each copy that of the document under which its passages are found.
    """

    questions: tuple[GoldenQuestion, ...]
    generation: str
    corpus: str
    labelled: bool
    stored: Mapping[str, str]
    inputs: Inputs


@task(
    task_run_name="read-golden-questions",
    cache_policy=NO_CACHE,
    retries=TRIES_AGAIN,
    retry_delay_seconds=SECONDS_BETWEEN_TRIES,
    retry_condition_fn=may_be_over_soon,
)
def golden_inputs(environment: Environment, outputs: Mapping[str, Any] | None = None) -> GoldenInputs:
    """Read the golden set and the serving generation; `outputs` are Terraform's, of an environment on AWS.

    Raises:
        InvalidGoldenSet: `evaluation.dataset` cannot be used.
        NothingServed: no generation was promoted yet.
        StoreUnavailable: the store does not answer.
    """
    path = REPOSITORY / environment.evaluation.dataset
    questions = read_golden_set(path)
    with knowledge_store(environment, outputs) as store:
        manifest = store.serving()
    if manifest is None:
        raise NothingServed("the knowledge base has no serving generation; run the knowledge flow first")
    return GoldenInputs(
        questions=questions,
        generation=manifest.generation,
        corpus=", ".join(f"{name} {uri}" for name, uri in manifest.sources.items()),
        labelled=is_about(questions, manifest),
        stored=stored_paths(manifest),
        inputs=Inputs(
            golden=golden_digest(path),
            knowledge=manifest.inputs_digest,
            service=tree_digest(REPOSITORY / "agents", "*.py"),
            models={name: _version(model) for name, model in environment.models.catalogue.items()},
            settings={
                "agents": environment.agents.model_dump(mode="json"),
                "fusion": environment.knowledge.fusion.model_dump(mode="json"),
                "metrics": list(environment.evaluation.metrics),
                **_judge(environment),
            },
        ),
    )


def require_generation(golden: GoldenInputs, answered_from: Iterable[str]) -> None:
    """Pass when all that was said comes from the generation that is measured.

    Raises:
        GenerationMoved: it does not; a report of both would be of neither.
    """
    others = sorted({*answered_from} - {golden.generation})
    if others:
        raise GenerationMoved(
            f"{', '.join(map(repr, others))} answered questions that were for generation {golden.generation!r}: the "
            "knowledge base was refreshed or rolled back meanwhile. Run the evaluation again when no refresh is due"
        )


def require_never_measured(golden: GoldenInputs, reports: Sequence[Report]) -> None:
    """Pass where the labelled questions never were about these sources; `reports` are the earlier ones, newest first.

    Raises:
        QuestionsLost: they were, so that the documents have other paths now, or are gone.
    """
    last = next((report for report in reports if report.corpus == golden.corpus), None)
    if last is not None:
        raise QuestionsLost(
            f"generation {golden.generation!r} of {golden.corpus} holds no document that a question names, and "
            f"generation {last.generation!r} was measured on {last.created_at:%Y-%m-%d %H:%M} UTC: the documents were "
            "renamed or removed. Amend the paths in evaluation.dataset, or bring the documents back and refresh"
        )


def is_about(questions: Sequence[GoldenQuestion], manifest: Manifest) -> bool:
    """Whether the generation holds any document that the questions have evidence in."""
    wanted = {evidence.document for question in questions for evidence in question.evidence}
    return any(record.path in wanted and record.content_hash for record in manifest.documents.values())


def _judge(environment: Environment) -> dict[str, object]:
    """What can change the judged metrics; nothing where there are none."""
    section = environment.evaluation
    if not section.judged_metrics:
        return {}
    return {"judge": {"model": environment.models.judge, "tokens": section.judge_tokens, "verdicts": verdicts_digest()}}


def _version(model: Model) -> str:
    """What tells a model from another one under the same name."""
    if model.packaged is not None:
        return model.packaged.sha256
    if model.weights is not None:
        return f"{model.weights.repository}@{model.weights.revision}"
    return str(model.bedrock_id)

"""A refresh while golden questions are asked: the service that is asked is scripted, the store is real."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from prefect import flow
from pydantic import SecretStr

from flows.evaluation import measured
from tasks.agent_service.http_api import AssistantUnavailable
from tasks.environment import Environment
from tasks.environment.variable_file import read_variable_file
from tasks.evaluation.inputs import GenerationMoved, golden_inputs
from tasks.evaluation.kept_reports import DirectoryReports
from tasks.evaluation.report import Report
from tasks.evaluation.site import Asked, EvaluationSite
from tasks.evaluation.trace_report import TraceReport
from tasks.gateway import Gateway
from tasks.store_settings import knowledge_store
from tests.contracts.generations import build
from tests.local_environment import write_local_environment
from tests.tasks.scripted_assistant import ScriptedAssistant, scripted_assistant

pytestmark = pytest.mark.prefect_server

LABELLED = {
    "id": "a1",
    "kind": "answerable",
    "question": "How do I upgrade the cluster?",
    "reference": "One minor version at a time.",
    "evidence": [{"document": "upgrade.md", "quote": "one minor version at a time"}],
}
NOWHERE = Gateway("http://127.0.0.1:9", SecretStr("nobody is asked"))


@pytest.fixture
def settings(tmp_path: Path, prefect_server: str) -> Environment:
    assert prefect_server
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps(LABELLED), encoding="utf-8")
    local = read_variable_file(write_local_environment(tmp_path / "environments", tmp_path / "data") / "local.tfvars")
    return local.model_copy(update={"evaluation": local.evaluation.model_copy(update={"dataset": str(questions)})})


def serve(settings: Environment, generation: str) -> None:
    with knowledge_store(settings) as store:
        build(store, generation)
        store.promote(generation)


def evaluated(settings: Environment, refresh: Callable[[ScriptedAssistant], None], *statuses: int) -> Report:
    """What is measured of the generation `g1`, where `refresh` comes between before each answer.

    The first requests are answered with `statuses` alone.
    """
    serve(settings, "g1")
    golden = golden_inputs.fn(settings)
    with scripted_assistant({}, "upgrade.md") as service:
        service.before_reply = partial(refresh, service)
        service.statuses.extend(statuses)

        @contextmanager
        def asked() -> Generator[Asked]:
            yield Asked(service.url, NOWHERE.url, NOWHERE.key)

        reports, traces = DirectoryReports(Path("unread"), Report), DirectoryReports(Path("unread"), TraceReport)
        site = EvaluationSite(reports, traces, asked, lambda: NOWHERE)

        @flow(name="evaluated-generation")
        def run() -> Report:
            return measured(settings, site, golden, 0)

        return run()


def test_what_another_generation_answered_is_asked_again_and_reported_as_its_own(settings: Environment) -> None:
    def once(service: ScriptedAssistant) -> None:
        if service.generation == "g1":
            serve(settings, "g2")
            service.generation = "g2"

    report = evaluated(settings, once)
    assert (report.generation, len(report.rows)) == ("g2", 1)


def test_a_knowledge_base_that_moves_on_and_on_fails_the_run(settings: Environment) -> None:
    def again(service: ScriptedAssistant) -> None:
        service.generation = f"g{int(service.generation[1:]) + 1}"

    with pytest.raises(GenerationMoved, match=r"'g3' answered questions that were for generation 'g1'.*Run the eval"):
        evaluated(settings, again)


def with_two_questions(settings: Environment) -> Environment:
    """As `settings`, where the search for one of the two may fail."""
    questions = [{**LABELLED, "id": name, "question": f"{name}?"} for name in ("a1", "a2")]
    Path(settings.evaluation.dataset).write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    return settings.model_copy(update={"evaluation": settings.evaluation.model_copy(update={"judge_failures": 0.5})})


def test_a_search_that_fails_is_a_row_without_scores(settings: Environment) -> None:
    report = evaluated(with_two_questions(settings), lambda _: None, 500)
    assert [row.unsearched is None for row in report.rows] == [False, True]
    assert report.searched == 1


def test_more_searches_that_fail_than_may_be_fail_the_run(settings: Environment) -> None:
    with pytest.raises(AssistantUnavailable, match=r"2 of 2 questions got no answer, above the allowed share 0\.5"):
        evaluated(with_two_questions(settings), lambda _: None, 500, 500)

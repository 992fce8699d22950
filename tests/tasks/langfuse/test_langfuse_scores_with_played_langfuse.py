"""An evaluation's scores on their way to Langfuse by its official client; Langfuse is played, AWS is emulated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from tasks.environment import Environment, EnvironmentName
from tasks.environment.addons import CloudLangfuse
from tasks.environment.variable_file import load_environment
from tasks.evaluation.kept_reports import DirectoryReports
from tasks.evaluation.report import AnswerRow, Inputs, Judging, QuestionRow, Report
from tasks.evaluation.trace_report import TraceReport, TraceRow
from tasks.golden.dataset import Evidence, GoldenQuestion
from tasks.langfuse.api import langfuse_api
from tasks.langfuse.dataset import golden_dataset
from tasks.langfuse.destination import LangfuseProject
from tasks.langfuse.scores import publish_scores
from tasks.langfuse.trace_scores import write_trace_scores
from tasks.langfuse.unsent_scores import send_unsent
from tests.agents.tracing.played_langfuse import PUBLIC_KEY, SECRET_KEY, wait_for
from tests.tasks.langfuse.readable_langfuse import DATASETS_PATH, ITEMS_PATH, ReadableLangfuse

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
QUESTION = GoldenQuestion(
    id="a1",
    kind="answerable",
    question="Which port is it?",
    reference="Port 8080.",
    evidence=(Evidence(document="a.md", quote="8080"),),
)


@pytest.fixture
def langfuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadableLangfuse]:
    """The project whose secret key Secrets Manager has."""
    played, aws = ReadableLangfuse(), ThreadedMotoServer("127.0.0.1", 0)
    played.start()
    aws.start()
    host, port = aws.get_host_and_port()
    # What it knows is the process's, so also what an earlier test made.
    httpx.post(f"http://{host}:{port}/moto-api/reset", timeout=60).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with closing(boto3.client("secretsmanager", region_name="us-east-1")) as vault:
        vault.create_secret(Name="agentic-eks-prod/langfuse-secret-key", SecretString=SECRET_KEY)
    yield played
    aws.stop()
    played.stop()


def traced_to(host: str, public_key: str = PUBLIC_KEY) -> Environment:
    """`prod` with its traces at `host`, where a real one answers by https."""
    prod = load_environment(EnvironmentName.PROD)
    assert prod.addons is not None
    cloud = CloudLangfuse.model_construct(mode="cloud", host=host, public_key=public_key)
    return prod.model_copy(update={"addons": prod.addons.model_copy(update={"langfuse": cloud})})


def project_of(langfuse: ReadableLangfuse) -> LangfuseProject:
    return LangfuseProject(langfuse.host, PUBLIC_KEY, "LANGFUSE_SECRET_KEY", "agentic-eks-prod/langfuse-secret-key")


def report() -> Report:
    row = QuestionRow(
        id=QUESTION.id,
        kind=QUESTION.kind,
        question=QUESTION.question,
        relevancy=0.75,
        abstained=False,
        ranks=(1,),
        context_precision=1,
        context_recall=None,
        answer=AnswerRow(kind="answered", text="It is 8080.", groundedness=1, similarity=None, rouge_l=0.5, seconds=1),
        judged={"faithfulness": 0.25},
    )
    searched = row.model_copy(update={"id": "a2", "answer": None})
    return Report(
        created_at=NOON,
        environment="prod",
        generation="g1",
        inputs=Inputs(golden="g", knowledge="k", service="s", models={}, settings={}),
        scores={"mrr": 0.5, "faithfulness": 0.25},
        rows=(row, searched),
        seconds=1,
    )


def test_answers_and_scores_that_a_killed_run_left_are_an_experiment_and_sent_twice_the_same_one(
    langfuse: ReadableLangfuse, tmp_path: Path
) -> None:
    reports = DirectoryReports(tmp_path, Report)
    reports.write(report().model_copy(update={"unsent": True}))
    send = partial(publish_scores.fn, traced_to(langfuse.host), questions=[QUESTION])
    langfuse.status = 403
    send_unsent(reports, reports.read(), send)
    assert ([each.unsent for each in reports.read()], langfuse.scores) == ([True], [])

    langfuse.status = 200
    send_unsent(reports, reports.read(), send)

    items = {score["name"]: score["value"] for score in langfuse.scores if "traceId" in score}
    of_search = {"relevancy": 0.75, "recall_at_5": 1, "mrr": 1, "abstention_accuracy": 1, "context_precision": 1}
    assert items == {**of_search, "rouge_l": 0.5, "groundedness": 1, "faithfulness": 0.25}
    runs = {score["name"]: score["value"] for score in langfuse.scores if "datasetRunId" in score}
    assert runs == {"mrr": 0.5, "faithfulness": 0.25}
    (trace,) = {score["traceId"] for score in langfuse.scores if "traceId" in score}
    (task,) = langfuse.trace(trace)["experiment-item-task"]
    assert {score["observationId"] for score in langfuse.scores if "traceId" in score} == {task.span_id}
    assert task.attributes["langfuse.observation.output"] == "It is 8080."
    assert task.attributes["langfuse.experiment.dataset.id"] == "d"
    assert task.attributes["langfuse.experiment.item.id"] == "prod-golden-a1"
    assert "Port 8080." in wait_for(lambda: str(task.attributes))

    once, spans = [*langfuse.scores], {span.span_id for span in langfuse.spans}
    send_unsent(reports, reports.read(), send)
    assert langfuse.scores == once, "what is there is not sent again"
    assert send(report()) is True
    # One with a known id and time is a change of it.
    assert langfuse.scores == [*once, *once]
    assert len(langfuse.spans) == 2 * len(spans)
    assert {span.span_id for span in langfuse.spans} == spans


def test_the_golden_set_is_a_dataset_that_follows_it(langfuse: ReadableLangfuse) -> None:
    langfuse.page = 1
    removed = QUESTION.model_copy(update={"id": "a9"})
    reworded = QUESTION.model_copy(update={"question": "On which port does it listen?"})

    def said() -> dict[str, tuple[str, str]]:
        return {name: (item["input"], item["status"]) for name, item in langfuse.items.items()}

    with langfuse_api(project_of(langfuse), SecretStr(SECRET_KEY)) as api:
        items = golden_dataset(api, langfuse.host, "prod", [QUESTION, removed])
        assert {name: item.id for name, item in items.items()} == {"a1": "prod-golden-a1", "a9": "prod-golden-a9"}
        assert langfuse.datasets == {"prod golden questions"}
        assert said() == {item.id: (QUESTION.question, "ACTIVE") for item in items.values()}
        assert langfuse.items["prod-golden-a1"]["expectedOutput"] == "Port 8080."
        assert langfuse.items["prod-golden-a1"]["metadata"]["evidence"] == [{"document": "a.md", "quote": "8080"}]

        golden_dataset(api, langfuse.host, "prod", [reworded])
        gone = (QUESTION.question, "ARCHIVED")
        assert said() == {"prod-golden-a1": (reworded.question, "ACTIVE"), "prod-golden-a9": gone}

        langfuse.requests.clear()
        golden_dataset(api, langfuse.host, "prod", [reworded])
        # What is as it should be is read, a page for each item, and not written.
        assert langfuse.requests == [DATASETS_PATH, ITEMS_PATH, ITEMS_PATH]


def test_a_langfuse_that_refuses_fails_nothing(langfuse: ReadableLangfuse, caplog: pytest.LogCaptureFixture) -> None:
    publish_scores.fn(traced_to(langfuse.host, "pk-lf-unknown"), report(), [QUESTION])
    assert langfuse.requests == [DATASETS_PATH]
    assert (langfuse.scores, langfuse.items) == ([], {})
    assert "are not all in Langfuse" in caplog.text


def test_where_no_traces_go_no_scores_go(langfuse: ReadableLangfuse) -> None:
    prod = traced_to(langfuse.host)
    assert prod.addons is not None
    nowhere = prod.model_copy(update={"addons": prod.addons.model_copy(update={"langfuse": None})})
    publish_scores.fn(nowhere, report(), [QUESTION])
    assert langfuse.requests == []


def traced_report() -> TraceReport:
    rows = [
        TraceRow(trace_id=trace * 32, kind="answered", question="?", groundedness=1, judged={"faithfulness": value})
        for trace, value in (("a", 0.5), ("b", 1.0))
    ]
    return TraceReport(
        created_at=NOON,
        environment="prod",
        since=NOON,
        until=NOON,
        found=2,
        scores={"faithfulness": 0.75},
        rows=tuple(rows),
        intervals={},
        judging=Judging(model="nova", tokens=1, halted=False, labelled=1, kappa=1, interval=None),
    )


def test_a_second_run_replaces_the_scores_of_the_first(langfuse: ReadableLangfuse) -> None:
    for _ in range(2):
        write_trace_scores.fn(traced_to(langfuse.host), project_of(langfuse), traced_report())
    assert len(langfuse.scores) == 4
    assert len({(score["id"], score["timestamp"]) for score in langfuse.scores}) == 2
    assert langfuse.scores[0]["comment"] == "judged by nova"
    assert (langfuse.scores[0]["dataType"], langfuse.scores[0]["environment"]) == ("NUMERIC", "prod")


def test_scores_that_langfuse_does_not_take_are_named(
    langfuse: ReadableLangfuse, caplog: pytest.LogCaptureFixture
) -> None:
    langfuse.refused_scores = 1
    write_trace_scores.fn(traced_to(langfuse.host), project_of(langfuse), traced_report())
    assert "Langfuse refused 1 of 2 scores" in caplog.text
    langfuse.status = 403
    write_trace_scores.fn(traced_to(langfuse.host), project_of(langfuse), traced_report())
    assert "the scores of this run are not in Langfuse" in caplog.text
    assert len(langfuse.scores) == 1

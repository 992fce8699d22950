"""An evaluation's scores on their way to Langfuse by its official client; Langfuse is played, AWS is emulated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tasks.environment import Environment, EnvironmentName
from tasks.environment.addons import CloudLangfuse
from tasks.environment.variable_file import load_environment
from tasks.evaluation_report import AnswerRow, Inputs, QuestionRow, Report
from tasks.golden import Evidence, GoldenQuestion
from tasks.langfuse_scores import publish_scores
from tests.agents.tracing.played_langfuse import PUBLIC_KEY, SCORES_PATH, SECRET_KEY, PlayedLangfuse, wait_for

QUESTION = GoldenQuestion(
    id="a1",
    kind="answerable",
    question="Which port is it?",
    reference="Port 8080.",
    evidence=(Evidence(document="a.md", quote="8080"),),
)


@pytest.fixture
def langfuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedLangfuse]:
    """The project whose secret key Secrets Manager has."""
    played, aws = PlayedLangfuse(), ThreadedMotoServer("127.0.0.1", 0)
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
        created_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        environment="prod",
        generation="g1",
        inputs=Inputs(golden="g", knowledge="k", service="s", models={}, settings={}),
        scores={"mrr": 0.5, "faithfulness": 0.25},
        rows=(row, searched),
        seconds=1,
    )


def test_answers_and_scores_are_an_experiment(langfuse: PlayedLangfuse) -> None:
    publish_scores.fn(traced_to(langfuse.host), report(), [QUESTION])

    items = {score["name"]: score["value"] for score in langfuse.scores if "traceId" in score}
    assert items == {"relevancy": 0.75, "context_precision": 1, "rouge_l": 0.5, "groundedness": 1, "faithfulness": 0.25}
    runs = {score["name"]: score["value"] for score in langfuse.scores if "datasetRunId" in score}
    assert runs == {"mrr": 0.5, "faithfulness": 0.25}
    (trace,) = {score["traceId"] for score in langfuse.scores if "traceId" in score}
    (task,) = langfuse.trace(trace)["experiment-item-task"]
    assert task.attributes["langfuse.observation.output"] == "It is 8080."
    assert "Port 8080." in wait_for(lambda: str(task.attributes))


def test_a_langfuse_that_refuses_fails_nothing(langfuse: PlayedLangfuse) -> None:
    publish_scores.fn(traced_to(langfuse.host, "pk-lf-unknown"), report(), [QUESTION])
    assert SCORES_PATH in langfuse.requests
    assert langfuse.scores == []


def test_where_no_traces_go_no_scores_go(langfuse: PlayedLangfuse) -> None:
    prod = traced_to(langfuse.host)
    assert prod.addons is not None
    nowhere = prod.model_copy(update={"addons": prod.addons.model_copy(update={"langfuse": None})})
    publish_scores.fn(nowhere, report(), [QUESTION])
    assert langfuse.requests == []

"""The flow `traces` over what the real service's exporter wrote; Langfuse and the models, the judge too, are played."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.sorting import FlowRunSort

from agents.service import create_app
from flows.traces import MeasuredTraces, traces
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE
from tasks.evaluation.gate import DemandsMissed
from tasks.langfuse.api import LangfuseUnavailable
from tasks.platforms import Component
from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ThreadedServer
from tests.agents.tracing.played_langfuse import PUBLIC_KEY, SECRET_KEY, langfuse_at
from tests.artifacts import newest_artifact
from tests.ports import free_port
from tests.tasks.evaluation.judging_gateway import JudgingGateway
from tests.tasks.evaluation.scripted_judge import LABELS, verdicts
from tests.tasks.langfuse.readable_langfuse import OBSERVATIONS_PATH, ReadableLangfuse

pytestmark = [pytest.mark.prefect_server, pytest.mark.timeout(1200)]

LOCAL = EnvironmentName.LOCAL
GROUNDED = "`make down` stops every process that `make up` started."
QUESTION = "What does make down stop?"
GOLDEN = json.loads((REPOSITORY / "golden" / "questions.jsonl").read_text(encoding="utf-8").partition("\n")[0])


@dataclass(frozen=True)
class Laptop:
    """A laptop with a judge, whose answers are traced; `file` is its variable file."""

    running: Running
    models: JudgingGateway
    langfuse: ReadableLangfuse
    file: Path

    def ask(self, question: str, reply: str = GROUNDED) -> str:
        """Have it answered, and wait for the trace; returns its id."""
        self.models.reply = reply
        trace_id = str(self.running.ask(question).json()["trace_id"])
        self.langfuse.trace(trace_id)
        return trace_id

    def written(self) -> dict[str, dict[str, float]]:
        """What the flow, not the service, wrote to traces: scores by metric, by trace."""
        scores: dict[str, dict[str, float]] = {}
        for score in self.langfuse.scores:
            if (score["comment"] or "").startswith("judged by"):
                scores.setdefault(score["traceId"], {})[score["name"]] = score["value"]
        return scores

    def set(self, key: str, value: str) -> None:
        """Give a key of the variable file another value, written as HCL."""
        text = self.file.read_text(encoding="utf-8")
        text, count = re.subn(rf"(\n\s*{key}\s*= )[^\n]*", lambda found: found[1] + value, text, count=1)
        assert count == 1, key
        self.file.write_text(text, encoding="utf-8")


@pytest.fixture
def laptop(tmp_path: Path, prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    assert prefect_server
    models, langfuse = JudgingGateway(), ReadableLangfuse(page=2)
    for name, value in {
        KEY_VARIABLE: "sk-test",
        "TEST_SECRET": SECRET_KEY,
        "LANGFUSE_SECRET_KEY": SECRET_KEY,
        DIRECTORY_VARIABLE: str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    build_generation(tmp_path / "knowledge", "g1", corpus_chunks())
    settings = service_settings(models.url, tmp_path / "knowledge", relevancy_threshold=0.15)
    app = create_app(settings.model_copy(update={"langfuse": langfuse_at(langfuse.host)}))
    server = ThreadedServer(app, free_port())
    started = (models, langfuse, server)
    for one in started:
        one.start()
    running = Running(server.url, models, tmp_path / "knowledge")
    running.wait_until_ready()
    yield Laptop(running, models, langfuse, _variable_file(tmp_path, models.port, langfuse.host))
    for one in reversed(started):
        one.stop()


def _variable_file(directory: Path, gateway_port: int, langfuse: str) -> Path:
    text = (REPOSITORY / "infra" / "environments" / "local.tfvars").read_text(encoding="utf-8")
    tracing = f'tracing = {{ host = "{langfuse}", public_key = "{PUBLIC_KEY}" }}'
    for pattern, line in (
        (r"\n  data_directory\s*= [^\n]*", f'\n  data_directory = "{directory / "state"}"'),
        (r"\n  embedding = \"", '\n  judge     = "smollm2-135m"\n  embedding = "'),
        (r"\n  metrics\s*= [^\n]*", '\n  metrics = ["mrr", "groundedness", "faithfulness", "answer_relevancy"]'),
        (r"\n  thresholds\s*= [^\n]*", "\n  thresholds = {}\n  traces = { sample = 10 }\n  judge_failures = 0.5"),
        (r"\nagents = {", f"\nagents = {{\n  {tracing}"),
    ):
        text, count = re.subn(pattern, lambda _, line=line: line, text, count=1)
        assert count == 1, pattern
    file = directory / "local.tfvars"
    file.write_text(text, encoding="utf-8")
    # The gateway as the stage `models` leaves it.
    gateway = Component("gateway", (), "127.0.0.1", gateway_port, "/", {}, 1, "")
    record = directory / "state" / "supervisor" / "components" / "gateway.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(asdict(gateway)), encoding="utf-8")
    return file


def measured() -> MeasuredTraces:
    outcome = traces(LOCAL)
    assert isinstance(outcome, MeasuredTraces)
    return outcome


def table(client: SyncPrefectClient, name: str, column: str) -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in json.loads(newest_artifact(client, f"local-traces-{name}"))}


def test_answers_of_people_are_scored_and_the_scores_are_on_their_traces(
    laptop: Laptop, prefect_client: SyncPrefectClient
) -> None:
    answered = laptop.ask(f"{QUESTION} I am joe@example.org")
    quoted = laptop.ask(QUESTION, reply="Nothing of this is in the documents, said Caesar in 44.")
    abstained = laptop.ask("Who won the chess championship in Berlin?")
    laptop.ask(GOLDEN["question"])

    report = measured().report

    assert report is not None
    assert report.found == 4
    rows = {row.trace_id: row for row in report.rows}
    assert {trace: row.kind for trace, row in rows.items()} == {
        answered: "answered",
        quoted: "quoted",
        abstained: "abstained",
    }
    assert rows[answered].question == f"{QUESTION} I am [e-mail]"
    assert rows[answered].groundedness == 1
    written = laptop.written()
    assert written == {row.trace_id: row.judged for row in report.rows if row.judged}
    assert written[answered].keys() == {"faithfulness", "answer_relevancy"}
    assert written[answered]["faithfulness"] == 1
    assert written[quoted].keys() == {"answer_relevancy"}, "a quotation is verbatim"
    assert abstained not in written
    assert report.scores.keys() == {"groundedness", "faithfulness", "answer_relevancy"} == report.intervals.keys()
    assert report.judging is not None
    assert report.judging.kappa == 1
    assert report.refused == ()
    scores = table(prefect_client, "scores", "metric")
    assert scores["faithfulness"]["value"] == 1
    assert "proposes" in table(prefect_client, "judge", "what")["faithfulness has no threshold yet"]["value"]

    again = measured()

    assert again.report is None
    assert again.summary.startswith("nobody was answered between"), "each question is measured once"


def test_scores_that_a_run_measured_and_did_not_send_are_sent_by_the_next_one(laptop: Laptop) -> None:
    laptop.ask(QUESTION)
    laptop.langfuse.scores_status = 403
    report = measured().report
    assert report is not None
    assert laptop.written() == {}

    laptop.langfuse.scores_status = 200
    assert measured().summary.startswith("nobody was answered between")

    assert laptop.written() == {row.trace_id: row.judged for row in report.rows}
    laptop.langfuse.scores.clear()
    traces(LOCAL)
    assert laptop.written() == {}, "they are sent once"


def test_bad_answers_fail_the_run_with_the_worst_of_them(laptop: Laptop, prefect_client: SyncPrefectClient) -> None:
    laptop.set("traces", "{ sample = 10, thresholds = { faithfulness = 0.9 } }")
    trace = laptop.ask(QUESTION)
    laptop.models.judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda each: LABELS.get(each, False))

    with pytest.raises(DemandsMissed, match=r"faithfulness = 0\.000 is below its threshold 0\.900") as failed:
        measured()

    assert trace in str(failed.value)
    assert QUESTION not in str(failed.value), "it is told to logs and webhooks"

    assert table(prefect_client, "worst-answers", "trace")[trace]["question"] == QUESTION
    assert laptop.written()[trace]["faithfulness"] == 0


def test_a_judge_that_does_not_count_is_told_by_the_state_of_the_run(
    laptop: Laptop, prefect_client: SyncPrefectClient
) -> None:
    laptop.ask(QUESTION)
    laptop.models.judge.said["NLIStatementOutput"] = lambda given: verdicts(given, lambda _: True)

    assert measured().summary.startswith("Uncalibrated: the judge agrees with people less than 0.6")

    newest, *_ = prefect_client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=["traces"])), sort=FlowRunSort.START_TIME_DESC, limit=1
    )
    assert newest.state is not None
    assert str(newest.state.message).startswith("Uncalibrated")


def test_a_sample_is_drawn_and_what_a_judge_fails_to_score_is_counted(laptop: Laptop) -> None:
    laptop.set("traces", "{ sample = 2 }")
    for _ in range(3):
        laptop.ask(QUESTION)
    laptop.models.judge.said["NLIStatementOutput"] = lambda given: {"statements": []}

    with pytest.raises(DemandsMissed, match=r"faithfulness: 2 of 2 scores are missing.*NaN"):
        measured()

    assert [set(scores) for scores in laptop.written().values()] == [{"answer_relevancy"}] * 2


def test_nobody_asked_nobody_answered_and_a_langfuse_that_refuses(laptop: Laptop) -> None:
    assert measured().summary.startswith("nobody was answered between")
    laptop.ask("Who won the chess championship in Berlin?")
    report = measured().report
    assert report is not None
    assert ([row.kind for row in report.rows], report.scores, laptop.written()) == (["abstained"], {}, {})
    laptop.langfuse.requests.clear()
    laptop.langfuse.status = 403
    with pytest.raises(LangfuseUnavailable, match=r"did not answer \(status 403\)"):
        measured()
    assert laptop.langfuse.requests.count(OBSERVATIONS_PATH) == 1

"""The flow `evaluation` of `dev`: the real service over a real OpenSearch; models are scripted, AWS is emulated.

The gateway is asked at its address in the cluster, which a proxy leads to the scripted one.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from prefect.client.orchestration import SyncPrefectClient

from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from flows.evaluation import Evaluated, evaluation
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.evaluation.gate import DemandsMissed
from tasks.evaluation.inputs import QuestionsLost
from tasks.evaluation.report import Report
from tasks.weights.manifest import Manifest, write_manifest
from tasks.weights.places import weights_prefix
from tests.agents.corpus_generation import corpus_chunks, write_generation
from tests.agents.scripted_gateway import DIMENSION, ScriptedGateway
from tests.artifacts import newest_artifact
from tests.charts.own_charts import sample_outputs
from tests.tasks.evaluation.judging_gateway import JudgingGateway

pytestmark = [pytest.mark.prefect_server, pytest.mark.opensearch, pytest.mark.timeout(1200)]

DEV = EnvironmentName.DEV
PORT = "The agent service listens on port 8080."
QUESTIONS = (
    {
        "id": "a1",
        "kind": "answerable",
        "question": "Which port does the agent service listen on?",
        "reference": "Port 8080.",
        "evidence": [{"document": "commands.md", "quote": "The agent service listens on port 8080."}],
    },
    {
        "id": "a2",
        "kind": "answerable",
        "question": "What does `make down` stop?",
        "reference": "Every process that make up started.",
        "evidence": [{"document": "commands.md", "quote": "stops every process that"}],
    },
    {
        "id": "u1",
        "kind": "unanswerable",
        "question": "Who won the chess championship in Berlin?",
        "reference": "The documents do not say.",
        "evidence": [],
    },
)


@dataclass(frozen=True)
class Dev:
    """What the earlier stages left of `dev`: a variable file to edit, the models, and the bucket of reports."""

    file: Path
    models: ScriptedGateway
    s3: Any
    bucket: str

    def set(self, key: str, value: str) -> None:
        """Give a key of the variable file's section `evaluation` another value, written as HCL."""
        head, section = self.file.read_text(encoding="utf-8").split("\nevaluation = {")
        section, count = re.subn(rf"(\n  {key}\s*= )[^\n]*", lambda found: found[1] + value, section, count=1)
        assert count == 1, key
        self.file.write_text(f"{head}\nevaluation = {{{section}", encoding="utf-8")

    def add_langfuse(self) -> None:
        """Send traces and scores to a Langfuse whose secret key nobody has put in."""
        text = self.file.read_text(encoding="utf-8")
        langfuse = 'langfuse = { mode = "cloud", host = "https://langfuse.test", public_key = "pk-lf-1" }'
        for head, line in (
            ("\naddons = {", langfuse),
            ("\n  secrets = {", 'langfuse-secret-key = { origin = "person" }'),
        ):
            assert text.count(head) == 1, head
            text = text.replace(head, f"{head}\n{line}")
        self.file.write_text(text, encoding="utf-8")

    def reports(self) -> list[Report]:
        """The kept reports, oldest first."""
        found = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        bodies = [self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found]
        return [Report.model_validate_json(body) for body in bodies]


@pytest.fixture
def dev(
    tmp_path: Path, prefect_client: SyncPrefectClient, opensearch_address: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dev]:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(map(json.dumps, QUESTIONS)), encoding="utf-8")
    file = tmp_path / "environments" / "dev.tfvars"
    file.parent.mkdir()
    text = (REPOSITORY / "infra" / "environments" / "dev.tfvars").read_text(encoding="utf-8")
    prefix = f"evaluation-{os.getpid()}"
    text = re.sub(r"dimension\s*= 384", f"dimension = {DIMENSION}", text)
    file.write_text(text.replace('index_prefix = "dev"', f'index_prefix = "{prefix}"'), encoding="utf-8")
    settings = read_variable_file(file)
    outputs = sample_outputs(DEV)
    outputs["search"]["endpoint"] = opensearch_address
    models, aws = JudgingGateway(reply=PORT), ThreadedMotoServer("127.0.0.1", 0)
    models.start()
    aws.start()
    host, port = aws.get_host_and_port()
    # What it knows is the process's, so also what an earlier test made.
    httpx.post(f"http://{host}:{port}/moto-api/reset", timeout=60).raise_for_status()
    for name, value in {
        DIRECTORY_VARIABLE: str(file.parent),
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "HTTP_PROXY": models.url.removesuffix("/v1"),
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    buckets = {name: str(bucket["name"]) for name, bucket in outputs["data"]["buckets"].items()}
    name = settings.models.embedding
    manifest = Manifest(origin="test", licence=None, files=())
    try:
        with closing(boto3.client("s3")) as s3, closing(boto3.client("secretsmanager")) as vault:
            for bucket in ("models", "results"):
                s3.create_bucket(Bucket=buckets[bucket])
            write_manifest(s3, buckets["models"], weights_prefix(name, settings.models.catalogue[name]), manifest)
            vault.create_secret(Name="agentic-eks-dev/litellm-evaluation-key", SecretString="sk-of-the-gateway")
            with closing(open_store(OpenSearchSettings(opensearch_address, prefix, 1, 0))) as store:
                identity = EmbeddingIdentity(model=name, fingerprint=manifest.sha256, dimension=DIMENSION)
                write_generation(store, "g1", corpus_chunks(), identity)
            EnvironmentOutputs(values=outputs).save(block_name(DEV), overwrite=True)
            made = Dev(file, models, s3, buckets["results"])
            made.set("dataset", json.dumps(str(questions)))
            yield made
            EnvironmentOutputs.delete(block_name(DEV))
    finally:
        aws.stop()
        models.stop()


def table(client: SyncPrefectClient, name: str, column: str) -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in json.loads(newest_artifact(client, f"dev-evaluation-{name}"))}


def services() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "agents.service" in child.cmdline()]


def test_a_service_of_the_runs_own_is_measured_in_the_cluster(dev: Dev, prefect_client: SyncPrefectClient) -> None:
    outcome = evaluation(DEV, answers=1)

    assert isinstance(outcome, Evaluated)
    assert outcome.report is not None
    assert (outcome.report.generation, outcome.report.answered) == ("g1", 1)
    assert outcome.report.scores["recall_at_5"] == 1
    answer = outcome.report.rows[0].answer
    assert answer is not None
    assert (answer.kind, answer.groundedness) == ("answered", 1)
    assert answer.text.startswith(PORT.removesuffix("."))
    assert dev.reports() == [outcome.report]
    assert table(prefect_client, "scores", "metric")["recall_at_5"]["reached"] == "yes"
    assert outcome.report.scores["faithfulness"] == 1
    assert outcome.report.judging is not None
    assert outcome.report.judging.kappa == 1
    judge = table(prefect_client, "judge", "what")
    assert judge["missing of faithfulness"]["value"] == "0 of 1"
    assert judge["tokens"]["value"] == f"{outcome.report.judging.tokens} of 4000000"
    assert services() == [], "what the run started is ended with it"

    dev.models.questions.clear()
    again = evaluation(DEV, answers=1, reuse=True)

    assert isinstance(again, Evaluated)
    assert again.summary.startswith("nothing changed since")
    assert dev.models.questions == [], "nobody was asked"

    dev.add_langfuse()
    dev.set("thresholds", "{ rouge_l = 1 }")
    with pytest.raises(DemandsMissed, match=r"rouge_l = 0\.") as verdict:
        evaluation(DEV, answers=1)
    assert isinstance(verdict.value.__context__, ClientError), "the copy to Langfuse failed, and hid nothing"

    dev.set("thresholds", "{}")
    with pytest.raises(ClientError):
        evaluation(DEV, answers=1, reuse=True)
    assert [report.unsent for report in dev.reports()] == [False, True], "what is unsent is tried again"

    # The documents were renamed, and the questions were not.
    questions = dev.file.parent.parent / "questions.jsonl"
    text = questions.read_text(encoding="utf-8")
    assert "commands.md" in text
    questions.write_text(text.replace("commands.md", "renamed.md"), encoding="utf-8")
    with pytest.raises(QuestionsLost, match="'g1' was measured on"):
        evaluation(DEV, answers=1)

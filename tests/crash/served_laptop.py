"""A laptop whose agent service answers over scripted models; Prefect's server, supervisord and the service are real."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tasks.agent_service.laptop_service import LaptopService
from tasks.embedding.identity import embedding_identity
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.platforms import Component
from tasks.platforms.component_names import AGENTS, GATEWAY
from tasks.platforms.component_records import ComponentRecords
from tasks.platforms.local_components import LocalComponents
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import DIMENSION, ScriptedGateway
from tests.callers import Callers
from tests.crash.children import run_child, start_child
from tests.crash.faults import Case
from tests.local_environment import write_local_environment

QUESTION = "What does make down stop?"
LABELLED = {
    "id": "a1",
    "kind": "answerable",
    "question": QUESTION,
    "reference": "Every process that make up started.",
    "evidence": [{"document": "commands.md", "quote": "stops every process that"}],
}
REPLY = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."
# A version is told by what it answers: below its least relevancy it abstains.
LEAST_RELEVANCY = {"answered": "0.37", "abstained": "1.0"}


class ServedLaptop:
    """A laptop whose service answers `QUESTION` in one of two ways, as its variable file says."""

    def __init__(self, directory: Path, api_url: str) -> None:
        self.variable_file = write_local_environment(directory / "environments", directory / "data") / "local.tfvars"
        questions = directory / "questions.jsonl"
        questions.write_text(json.dumps(LABELLED), encoding="utf-8")
        self._set("dimension", str(DIMENSION))
        self._set("dataset", json.dumps(str(questions)))
        # Whether it abstains rightly takes a question that nothing answers, too.
        self._set("thresholds", "{ recall_at_5 = 0.8, mrr = 0.72 }")
        # Others take seconds to import.
        self._set("metrics", '["recall_at_5", "mrr", "groundedness"]')
        self._environ = {
            **os.environ,
            DIRECTORY_VARIABLE: str(self.variable_file.parent),
            "PREFECT_API_URL": api_url,
        }

    @property
    def service(self) -> LaptopService:
        """The service as the variable file says now."""
        settings = read_variable_file(self.variable_file)
        return LaptopService(settings, LocalComponents.of(settings))

    def describe(self, kind: str) -> None:
        """Have the variable file ask for the version whose answer is of this kind."""
        self._set("relevancy_threshold", LEAST_RELEVANCY[kind])

    def release(self, case: Case | None = None) -> tuple[int, str]:
        """Run the flow in a process of its own; returns its exit code and output."""
        return run_child("agents", case, self._environ)

    def evaluate(self, case: Case | None = None) -> tuple[int, str]:
        """Run the flow `evaluation` likewise, which takes a report that is there already for its own."""
        return run_child("evaluation", case, self._environ)

    def start(self, flow: str) -> "subprocess.Popen[str]":
        """The flow `agents` or `evaluation` in a process of its own, which goes on."""
        return start_child(flow, None, self._environ)

    def callers(self) -> Callers:
        """People who ask while the block lasts."""
        return Callers(self.service.components.platform.address(AGENTS), QUESTION, pause=0.5)

    def ask(self) -> str:
        """The kind of the answer that a caller gets."""
        url = self.service.components.platform.address(AGENTS)
        answer = httpx.post(f"{url}/v1/ask", json={"question": QUESTION}, timeout=60, trust_env=False)
        return answer.raise_for_status().json()["kind"]

    def _set(self, key: str, value: str) -> None:
        text, count = re.subn(
            rf"(\n\s*{key}\s*= )[^\n]*", lambda found: found[1] + value, self.variable_file.read_text(encoding="utf-8")
        )
        assert count == 1, key
        self.variable_file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def served_laptop(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Iterator[ServedLaptop]:
    """A laptop whose service answers, over a gateway that is scripted."""
    directory = tmp_path_factory.mktemp("served")
    laptop = ServedLaptop(directory, prefect_server)
    gateway = ScriptedGateway(reply=REPLY)
    gateway.start()
    platform = laptop.service.components.platform
    ComponentRecords(platform.supervisor.directory / "components").write(
        Component(GATEWAY, ("true",), "127.0.0.1", gateway.port, "/", {}, 1, "")
    )
    models = laptop.service.settings.models
    identity = embedding_identity(models, models.embedding)
    build_generation(platform.data_directory / "knowledge", "g1", corpus_chunks(), identity)
    try:
        code, output = laptop.release()
        assert code == 0, output
        yield laptop
    finally:
        platform.stop()
        gateway.stop()

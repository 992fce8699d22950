"""A knowledge base of a test's own: a directory of documents, a variable file, a store, and the flow over them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.knowledge.store import KnowledgeStore
from flows.knowledge import knowledge
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE, read_variable_file
from tasks.refresh.report import RefreshReport
from tasks.store_settings import knowledge_store
from tests.local_environment import write_local_environment


class OwnKnowledgeBase:
    """Everything lies below `directory`; the embedding model's files are copied from `models`."""

    def __init__(self, directory: Path, models: Path) -> None:
        self.library = directory / "library"
        self.data = directory / "data"
        self.library.mkdir()
        shutil.copytree(models / "all-minilm-l6-v2", self.data / "models" / "all-minilm-l6-v2")
        self.variable_file = write_local_environment(directory / "environments", self.data) / "local.tfvars"
        self.set("sources", f'[{{ name = "library", uri = "{self.library.as_uri()}" }}]')

    @property
    def model_file(self) -> Path:
        return self.data / "models" / "all-minilm-l6-v2" / "model.gguf"

    def set(self, key: str, value: str) -> None:
        """Give a key of the variable file's section `knowledge` another value, written as HCL."""
        head, section = self.variable_file.read_text(encoding="utf-8").split("\nknowledge = {")
        section, count = re.subn(
            rf"(\n  {key}\s*= )(\[\n.*?\n  \]|[^\n]*)", lambda match: match[1] + value, section, count=1, flags=re.S
        )
        assert count == 1, key
        self.variable_file.write_text(f"{head}\nknowledge = {{{section}", encoding="utf-8")

    def write(self, name: str, content: str | bytes) -> str:
        """Write a document and return its URI."""
        path = self.library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path.as_uri()

    def refresh(self, directory: Path | None = None, *, confirm_deletions: bool = False) -> RefreshReport:
        """Run the flow in this process."""
        with pytest.MonkeyPatch.context() as environ:
            environ.setenv(DIRECTORY_VARIABLE, str(self.variable_file.parent))
            named = None if directory is None else str(directory)
            report = knowledge(EnvironmentName.LOCAL, named, confirm_deletions=confirm_deletions)
        assert isinstance(report, RefreshReport)
        return report

    def refresh_elsewhere(self, *arguments: str, seconds: float = 200) -> "subprocess.CompletedProcess[str]":
        """Run the flow as a person would, by `python -m flows.knowledge`, against the session's Prefect server."""
        return self.python("-m", "flows.knowledge", "--environment", "local", *arguments, seconds=seconds)

    def python(self, *arguments: str, seconds: float = 200) -> "subprocess.CompletedProcess[str]":
        """Run Python in the repository, with the variable file and the Prefect server of the test."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    @property
    def environ(self) -> dict[str, str]:
        """What a process needs to work on this knowledge base."""
        from prefect.settings import PREFECT_API_URL, PREFECT_HOME

        return {
            **os.environ,
            DIRECTORY_VARIABLE: str(self.variable_file.parent),
            "PREFECT_API_URL": str(PREFECT_API_URL.value()),
            "PREFECT_HOME": str(PREFECT_HOME.value()),
        }

    @contextmanager
    def store(self) -> Generator[KnowledgeStore]:
        """The store that the variable file names, as the flow opens it."""
        with knowledge_store(read_variable_file(self.variable_file)) as store:
            yield store

    def texts(self) -> dict[str, list[str]]:
        """The passages that serve now, by the name of their document; each chunk is there once."""
        with self.store() as store:
            serving = store.serving()
            assert serving is not None
            chunks = list(store.chunks(serving.generation))
        assert len({chunk.chunk_id for chunk in chunks}) == len(chunks) == serving.chunk_count
        found: dict[str, list[str]] = {}
        for chunk in sorted(chunks, key=lambda chunk: (chunk.path, chunk.ordinal)):
            found.setdefault(chunk.path, []).append(chunk.text)
        return found

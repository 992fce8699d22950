"""The refresh from files to searchable passages, with a real Prefect server, Ray, llama.cpp and LanceDB."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from agents.knowledge.deletions import DeletionsWithheld
from agents.knowledge.store import Filters
from tests.agents.knowledge.pdf_file import pdf_file
from tests.artifacts import newest_artifact
from tests.contracts.generations import EMBEDDING, GUIDE, build
from tests.flows.own_knowledge_base import OwnKnowledgeBase

pytestmark = pytest.mark.prefect_server

GOOD = {
    "apples.md": "# Apples\n\nApples ripen in September.",
    "pears.html": "<html><body><h1>Pears</h1><p>Pears ripen in August.</p></body></html>",
    "plums.txt": "Plums ripen in July.",
    "cherries.csv": "fruit,month\ncherry,June\n",
    "sub/figs.jsonl": '{"title": "Figs", "text": "Figs ripen in October."}\n',
}
WITHOUT_RAY = """
import sys
from flows.knowledge import knowledge
from tasks.environment import EnvironmentName
report = knowledge(EnvironmentName.LOCAL)
print("RESULT", report.new, report.embedded, "ray" in sys.modules, "xllamacpp" in sys.modules)
"""


@pytest.fixture
def base(tmp_path: Path, model_files: Path, prefect_server: str) -> OwnKnowledgeBase:
    own = OwnKnowledgeBase(tmp_path, model_files)
    for name, content in GOOD.items():
        own.write(name, content)
    return own


@pytest.fixture
def flow_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    # Prefect's loggers do not propagate to the root, where pytest listens.
    logger = logging.getLogger("prefect.flow_runs")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def bad_documents(base: OwnKnowledgeBase) -> dict[str, str]:
    """Write every kind of document that cannot be read; returns what the report has to say of each."""
    base.write("empty.md", b"")
    base.write("locked.pdf", pdf_file(["Secret."], password="open sesame"))
    base.write("latin1.md", "Äpfel im Süden".encode("latin-1"))
    base.write("picture.md", b"\x89PNG\r\n\x1a\n" + bytes(64))
    base.write("archive.docx", b"PK\x03\x04 broken")
    base.write("program.exe", b"MZ")
    with (base.library / "huge.md").open("wb") as file:
        file.truncate(200 * 2**20)
    (base.library / "nowhere.md").symlink_to("gone.md")
    (base.library / "outside.md").symlink_to("/etc/hostname")
    os.mkfifo(base.library / "pipe.md")
    return {
        "empty.md": "0 bytes",
        "locked.pdf": "encrypted",
        "latin1.md": "not utf-8",
        "picture.md": "PNG",
        "archive.docx": "not a Word document",
        "program.exe": "not supported",
        "huge.md": "200.0 MiB are more than the 64.0 MiB",
        "nowhere.md": "No such file",
        "outside.md": "out of its source",
        "pipe.md": "not a regular file",
    }


def unreadable_artifact(client: SyncPrefectClient) -> dict[str, str]:
    rows = json.loads(newest_artifact(client, "local-knowledge-unreadable"))
    return {row["document"]: row["reason"] for row in rows}


@pytest.mark.timeout(1200)
def test_a_knowledge_base_from_its_first_refresh_on(
    base: OwnKnowledgeBase, prefect_client: SyncPrefectClient, flow_log: pytest.LogCaptureFixture
) -> None:
    base.set("generations_kept", "4")
    # What serves so far was made by another embedding model: none of its vectors can be used.
    with base.store() as store:
        build(store, "other-model", GUIDE)
        store.promote("other-model")

    first = base.refresh()

    assert (first.new, first.documents, first.embedded, first.copied, first.unreadable) == (True, 5, 5, 0, {})
    assert base.texts().keys() == GOOD.keys()
    with base.store() as store:
        serving = store.serving()
        assert serving is not None
        assert serving.generation == first.generation
        assert serving.embedding != EMBEDDING
        assert serving.flow_run_id is not None
        assert serving.git_commit is None or len(serving.git_commit) == 40
        (hit, *_) = store.search(first.generation, "plums", [1.0] + [0.0] * 383, 3, Filters()).lexical
        assert hit.chunk.path == "plums.txt"

    unchanged = base.python("-c", WITHOUT_RAY)
    assert "RESULT False 0 False False" in unchanged.stdout, unchanged.stdout + unchanged.stderr

    # In one run: an edit, a new document, a deleted one, a renamed one, a good one that becomes bad, and bad ones.
    base.write("apples.md", "# Apples\n\nApples ripen late in September.")
    base.write("quinces.md", "# Quinces\n\nQuinces ripen in November.")
    (base.library / "plums.txt").unlink()
    (base.library / "cherries.csv").rename(base.library / "sweet-cherries.csv")
    base.write("pears.html", b"<html><body>\xff\xfe\xfa</body></html>")
    wanted = bad_documents(base) | {"pears.html": "not utf-8"}

    second = base.refresh()

    reasons = {Path(uri.removeprefix("file://")).name: reason for uri, reason in second.unreadable.items()}
    assert reasons.keys() == wanted.keys()
    assert {name for name, part in wanted.items() if part not in reasons[name]} == set()
    assert all(uri not in reason for uri, reason in second.unreadable.items())
    assert unreadable_artifact(prefect_client) == second.unreadable
    warned = [record.getMessage() for record in flow_log.records if record.levelno == logging.WARNING]
    assert {uri for uri in second.unreadable if any(uri in line for line in warned)} == second.unreadable.keys()
    assert (second.new, second.documents, second.embedded, second.deleted, second.moved) == (True, 5, 3, 1, 1)
    texts = base.texts()
    assert texts.keys() == {"apples.md", "pears.html", "quinces.md", "sweet-cherries.csv", "sub/figs.jsonl"}
    assert "late in September" in texts["apples.md"][0]
    assert "August" in texts["pears.html"][0], "the last good version is served"

    third = base.refresh()
    assert (third.new, third.generation, third.unreadable) == (False, second.generation, second.unreadable)

    # Other chunk bounds share no chunks with what serves, and the model's file is damaged.
    base.set("chunks", "{ tokens = 64, overlap_tokens = 8 }")
    intact = base.model_file.read_bytes()
    base.model_file.write_bytes(intact[:1000] + b"\0" + intact[1001:-7])
    for bad in wanted:
        (base.library / bad).unlink()

    # Eleven documents of fifteen are no longer listed: that needs a person's word.
    with pytest.raises(DeletionsWithheld, match=r"would delete 11 of 15 documents"):
        base.refresh()
    with base.store() as store:
        serving = store.serving()
        assert serving is not None
        assert serving.generation == second.generation
    fourth = base.refresh(confirm_deletions=True)

    assert (fourth.new, fourth.documents, fourth.embedded, fourth.copied) == (True, 4, 4, 0)
    assert base.model_file.read_bytes() == intact
    with base.store() as store:
        assert len(store.manifests()) == 4, "as many as generations_kept says"

    # Sources that are as they were for a generation that is kept need only that generation.
    base.set("chunks", "{ tokens = 224, overlap_tokens = 32 }")
    for name in base.texts():
        (base.library / name).unlink()
    for name, content in GOOD.items():
        base.write(name, content)
    again = base.refresh()
    assert (again.new, again.generation, again.embedded) == (True, first.generation, 0)


def test_naming_the_directory_of_a_source_goes_back_to_the_sources(base: OwnKnowledgeBase, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for month in range(1, 13):
        (other / f"{month}.md").write_text(f"# Month {month}\n\nNothing ripens in month {month}.", encoding="utf-8")
    base.set("sources", f'[{{ name = "library", uri = "{base.library.as_uri()}", include = ["*.md", "*.txt"] }}]')
    replaced = base.refresh(other)
    assert replaced.documents == 12

    with pytest.raises(DeletionsWithheld, match=r"would delete 12 of 12 documents"):
        base.refresh()
    back = base.refresh(base.library)

    assert (back.new, back.documents, back.deleted) == (True, 2, 12)
    assert base.texts().keys() == {"apples.md", "plums.txt"}
    with base.store() as store:
        serving = store.serving()
        assert serving is not None
        assert serving.sources == {"library": base.library.as_uri()}
    assert base.refresh().new is False, "the next one on the schedule finds the same sources"


def test_sources_that_cannot_be_used_leave_what_serves(base: OwnKnowledgeBase, tmp_path: Path) -> None:
    with base.store() as store:
        build(store, "before", GUIDE)
        store.promote("before")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "empty.md").touch()

    missing = base.refresh_elsewhere("--directory", str(tmp_path / "gone"))
    empty = base.refresh_elsewhere("--directory", str(tmp_path / "nothing"))

    assert (missing.returncode, empty.returncode) == (1, 1)
    assert f"'{tmp_path}/gone' does not exist" in missing.stderr
    assert "it holds no file" in empty.stderr
    with base.store() as store:
        assert [manifest.generation for manifest in store.manifests()] == ["before"]
        serving = store.serving()
        assert serving is not None
        assert serving.generation == "before"

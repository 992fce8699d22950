"""Trouble during a refresh: a worker that is killed, and a disk that is full. Running again converges."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agents.knowledge.store import StoreUnavailable
from tests.flows.own_knowledge_base import OwnKnowledgeBase

pytestmark = [pytest.mark.prefect_server, pytest.mark.timeout(1200)]

CHUNKS_PER_CHAPTER = 10


def chapter(name: str) -> str:
    """A document of as many chunks as it has sections."""
    sections = (f"## {name} {n}\n\n" + f"The {name} of tree {n} ripens late. " * 12 for n in range(CHUNKS_PER_CHAPTER))
    return "\n\n".join(sections)


class KillsOneEmbedder:
    """Kills one of this process's embedding actors as soon as it has worked for a second."""

    def __init__(self) -> None:
        self.killed: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "KillsOneEmbedder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                try:
                    # Ray writes what an actor does into the title of its process.
                    busy = "_EmbedBatch" in " ".join(process.cmdline()) and process.cpu_times().user > 1
                    if busy:
                        process.kill()
                        self.killed = process.pid
                        return
                except psutil.NoSuchProcess:
                    continue


def test_a_killed_embedding_actor_is_replaced(tmp_path: Path, model_files: Path, prefect_server: str) -> None:
    base = OwnKnowledgeBase(tmp_path, model_files)
    fruits = ("apple", "pear", "plum", "quince", "cherry", "fig", "grape", "lemon", "mango", "peach")
    for fruit in fruits:
        base.write(f"{fruit}.md", chapter(fruit))

    with KillsOneEmbedder() as killer:
        report = base.refresh()

    assert killer.killed is not None
    assert not psutil.pid_exists(killer.killed)
    assert (report.new, report.documents, report.chunks) == (True, len(fruits), len(fruits) * CHUNKS_PER_CHAPTER)
    assert {name: len(texts) for name, texts in base.texts().items()} == {
        f"{fruit}.md": CHUNKS_PER_CHAPTER for fruit in fruits
    }


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, mounted where the store of a knowledge base below `tmp_path` lies."""
    directory = tmp_path / "data" / "knowledge"
    directory.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(directory)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a file system can be mounted by root only: {mounted.stderr.strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def fill(disk: Path) -> Path:
    """Take all space but 64 KiB, in a file that can be deleted."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(free - 64 * 2**10))
    return filler


def test_a_full_disk_is_said_and_what_serves_goes_on(
    tmp_path: Path, model_files: Path, prefect_server: str, small_disk: Path
) -> None:
    base = OwnKnowledgeBase(tmp_path, model_files)
    base.write("apples.md", "# Apples\n\nApples ripen in September.")
    first = base.refresh()
    served = base.texts()
    filler = fill(small_disk)
    base.write("pear.md", chapter("pear"))

    with pytest.raises(StoreUnavailable) as failure:
        base.refresh()

    assert str(small_disk) in str(failure.value)
    assert "0 MiB are free there" in str(failure.value)
    assert base.texts() == served

    filler.unlink()
    second = base.refresh()
    assert second.generation != first.generation
    assert {name: len(texts) for name, texts in base.texts().items()} == {
        "apples.md": 1,
        "pear.md": CHUNKS_PER_CHAPTER,
    }
    with base.store() as store:
        assert {manifest.state for manifest in store.manifests()} == {"ready"}
